import type { HostArray } from '@evenkeel/formats';
import { commit, type Tensor } from '@evenkeel/tensor';
import { readStateDict, stateDictOf, type WeightAverages } from '../ema/tracker.ts';
import type { Trainer } from './trainer.ts';

/** All that training goes on from, on the host: what a checkpoint holds. */
export interface TrainerState {
  /** Images seen. */
  readonly images: number;
  /** What noise and dropout follow from, together with the images seen. */
  readonly seed: number;
  /**
   * By name: weights and buffers (`net.`), Adam's averages and count (`optimizer.`), averages of the weights (`ema.0.05.` by
   * relative length, `traditional.500000.` by half-life).
   */
  readonly tensors: ReadonlyMap<string, HostArray>;
}

const [netPrefix, optimizerPrefix] = ['net.', 'optimizer.'];

/** The averages that a trainer tracks, with what the names of each length start with. */
function averagesOf({ ema, traditionalEma }: Trainer): { averages: WeightAverages; prefix(length: number): string }[] {
  const all = [{ averages: ema as WeightAverages, prefix: (std: number) => `ema.${std}.` }];
  if (traditionalEma !== undefined) {
    all.push({ averages: traditionalEma, prefix: (halfLife) => `traditional.${halfLife}.` });
  }
  return all;
}

/** Reads everything together, so that all of it is of one moment. */
export async function readTrainerState(trainer: Trainer): Promise<TrainerState> {
  const { net, optimizer, images, seed } = trainer;
  const tensors = new Map<string, Tensor>();
  const add = (prefix: string, dict: ReadonlyMap<string, Tensor>, names: Iterable<string> = dict.keys()) => {
    for (const name of names) tensors.set(prefix + name, dict.get(name) as Tensor);
  };
  add(netPrefix, net.stateDict());
  add(optimizerPrefix, optimizer.stateDict());
  for (const { averages, prefix } of averagesOf(trainer)) {
    for (const length of averages.lengths) add(prefix(length), averages.stateDict(length), averages.averaged);
  }
  return { images, seed, tensors: await readStateDict(tensors) };
}

/** Assigns a state to all parts of a trainer. */
export async function restoreTrainer(trainer: Trainer, state: TrainerState): Promise<void> {
  const { net, optimizer, seed } = trainer;
  if (state.seed !== seed) {
    throw new Error(`Trainer.restore: the state is of seed ${state.seed}, this training has seed ${seed}`);
  }
  const tracked = averagesOf(trainer);
  const emaPrefixes = tracked.flatMap(({ averages, prefix }) => averages.lengths.map(prefix));
  const dicts = partsOf(state.tensors, [netPrefix, optimizerPrefix, ...emaPrefixes]);
  const dict = (prefix: string) => dicts.get(prefix) as ReadonlyMap<string, Tensor>;
  net.loadStateDict(dict(netPrefix));
  optimizer.loadStateDict(dict(optimizerPrefix));
  for (const { averages, prefix } of tracked) {
    averages.restore(state.images, new Map(averages.lengths.map((length) => [length, dict(prefix(length))])));
  }
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
