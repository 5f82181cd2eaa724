import { noiseLevels, PerSeedRandom, type Precond, sample } from '@evenkeel/edm2';
import { oneHot, tensor } from '@evenkeel/tensor';
import type { Computes } from '../protocol/backend.ts';
import type { SampleSettings, SampleStep } from '../protocol/sample.ts';
import type { WorkerBackend } from './backends.ts';
import { atPictureScale, expectedEnd, rgbaOf } from './pixels.ts';
import { otherMessages } from './scope.ts';
import { networkOf, type WeightsStore } from './weights-store.ts';

/** What a painter tells while it works. */
export interface PaintEvents {
  onStart(computes: Computes): void;
  onStep(step: Omit<SampleStep, 'type' | 'run'>): void;
}

/** Samples pictures. Networks stay on the device as long as settings ask for the same ones. */
export class Painter {
  readonly #backend: WorkerBackend;
  readonly #store: WeightsStore;
  readonly #networks = new Map<string, Precond>();
  #computes: Computes | undefined;

  constructor(backend: WorkerBackend, store: WeightsStore) {
    this.#backend = backend;
    this.#store = store;
  }

  /** @throws what goes wrong on the way, and the reason of `signal` where it is aborted. */
  async paint(settings: SampleSettings, signal: AbortSignal, events: PaintEvents): Promise<void> {
    const { steps, seeds, classes, guidance } = settings;
    const computes = await this.#backend.use(settings.backend);
    if (computes !== this.#computes) this.forget();
    this.#computes = computes;
    events.onStart(computes);

    const net = await this.#main(settings);
    const guide = settings.guide === undefined || guidance === 1 ? undefined : await this.#guide(settings.guide, net);
    const { imgChannels: channels, imgResolution: resolution, labelDim } = net.options;
    const size = { channels, resolution };
    const shape = [seeds.length, channels, resolution, resolution];
    const noise = await new PerSeedRandom(seeds).normal(shape).data();
    signal.throwIfAborted();

    const levels = noiseLevels({ steps });
    const first = rgbaOf(atPictureScale(noise, 1), size);
    events.onStep({
      step: 0,
      steps,
      sigma: levels[0] as number,
      noisy: first,
      expected: first.slice(),
      stepsPerSecond: undefined,
    });
    let previous: ArrayLike<number> = Float32Array.from(noise, (value) => value * (levels[0] as number));
    let firstDone = 0;
    await sample(net, tensor(noise, { shape }), {
      steps,
      labels: labelDim === 0 ? null : oneHot(tensor(Int32Array.from(classes)), labelDim),
      ...(guide && { guide, guidance }),
      async onStep({ step, sigma, x }) {
        const values = await x.data();
        if (step === 1) firstDone = performance.now();
        await otherMessages();
        signal.throwIfAborted();
        const expected = expectedEnd(previous, levels[step - 1] as number, values, sigma);
        events.onStep({
          step,
          steps,
          sigma,
          noisy: rgbaOf(atPictureScale(values, sigma), size),
          expected: rgbaOf(expected, size),
          // The first step also compiles.
          stepsPerSecond: step > 1 ? (1000 * (step - 1)) / (performance.now() - firstDone) : undefined,
        });
        previous = values;
      },
    });
  }

  /** Lets go of all networks. */
  forget(): void {
    for (const net of this.#networks.values()) net.dispose();
    this.#networks.clear();
  }

  /** After a failure: the backend may be of no more use. */
  async reset(): Promise<void> {
    this.forget();
    await this.#backend.close();
  }

  async #main({ network, std, guide }: SampleSettings): Promise<Precond> {
    const key = `network ${network} ${std}`;
    // Two networks at most are kept: the one in use, and its guide.
    for (const [name, net] of this.#networks) {
      if (name === key || name === guideKey(guide)) continue;
      net.dispose();
      this.#networks.delete(name);
    }
    return this.#kept(key, async () => {
      const values = await this.#store.values(network, std);
      return networkOf({ description: this.#store.description(network), values }, 'the network');
    });
  }

  #guide(id: number, net: Precond): Promise<Precond> {
    const file = this.#store.file(id);
    const [own, main] = [file.description.options, net.options];
    if (own.imgResolution !== main.imgResolution || own.imgChannels !== main.imgChannels) {
      throw new Error(`${file.file}: makes pictures of another size. Choose a guide of the same pictures`);
    }
    if (own.labelDim !== 0 && own.labelDim !== main.labelDim) {
      throw new Error(
        `${file.file}: knows ${own.labelDim} classes, the network ${main.labelDim}. Choose another guide`,
      );
    }
    return this.#kept(guideKey(id), () => networkOf(file, file.file));
  }

  async #kept(key: string, make: () => Precond | Promise<Precond>): Promise<Precond> {
    const known = this.#networks.get(key);
    if (known) return known;
    const made = await make();
    this.#networks.set(key, made);
    return made;
  }
}

const guideKey = (id: number | undefined) => `guide ${id}`;
