import type { HostArray } from '@evenkeel/formats';
import { commit, type Tensor } from '@evenkeel/tensor';
import { readStateDict, stateDictOf } from '../ema/tracker.ts';
import type { Trainer } from './trainer.ts';

/** All that training goes on from, on the host: what a checkpoint holds. */
export interface TrainerState {
  /** Images seen. */
  readonly images: number;
  /** What noise and dropout follow from, together with the images seen. */
  readonly seed: number;
  /** Weights and buffers (`net.`), Adam's averages and count (`optimizer.`) and the averages (`ema.0.05.`), by name. */
  readonly tensors: ReadonlyMap<string, HostArray>;
}

const [netPrefix, optimizerPrefix] = ['net.', 'optimizer.'];
const emaPrefix = (std: number): string => `ema.${std}.`;

/** Reads everything together, so that all of it is of one moment. */
export async function readTrainerState({ net, optimizer, ema, images, seed }: Trainer): Promise<TrainerState> {
  const tensors = new Map<string, Tensor>();
  const add = (prefix: string, dict: ReadonlyMap<string, Tensor>, names: Iterable<string> = dict.keys()) => {
    for (const name of names) tensors.set(prefix + name, dict.get(name) as Tensor);
  };
  add(netPrefix, net.stateDict());
  add(optimizerPrefix, optimizer.stateDict());
  for (const std of ema.stds) add(emaPrefix(std), ema.stateDict(std), ema.averaged);
  return { images, seed, tensors: await readStateDict(tensors) };
}

/** Assigns a state to all parts of a trainer. */
export async function restoreTrainer({ net, optimizer, ema, seed }: Trainer, state: TrainerState): Promise<void> {
  if (state.seed !== seed) {
    throw new Error(`Trainer.restore: the state is of seed ${state.seed}, this training has seed ${seed}`);
  }
  const dicts = partsOf(state.tensors, [netPrefix, optimizerPrefix, ...ema.stds.map(emaPrefix)]);
  const dict = (prefix: string) => dicts.get(prefix) as ReadonlyMap<string, Tensor>;
  net.loadStateDict(dict(netPrefix));
  optimizer.loadStateDict(dict(optimizerPrefix));
  ema.restore(state.images, new Map(ema.stds.map((std) => [std, dict(emaPrefix(std))])));
  await commit();
}

/** The tensors of each prefix, under the names that follow it. */
function partsOf(
  tensors: ReadonlyMap<string, HostArray>,
  prefixes: readonly string[],
): ReadonlyMap<string, ReadonlyMap<string, Tensor>> {
  const parts = new Map(prefixes.map((prefix) => [prefix, new Map<string, HostArray>()]));
  for (const [name, array] of tensors) {
    const prefix = prefixes.find((start) => name.startsWith(start));
    if (prefix === undefined) {
      throw new Error(
        `Trainer.restore: the state has '${name}', which this training has not. Does it track other averages?`,
      );
    }
    parts.get(prefix)?.set(name.slice(prefix.length), array);
  }
  return new Map([...parts].map(([prefix, arrays]) => [prefix, stateDictOf(arrays)]));
}
