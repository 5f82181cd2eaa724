import type { TrainReply, TrainSettings } from '../protocol/train.ts';
import { Pace, Regularly } from './pace.ts';
import { otherMessages } from './scope.ts';
import type { Training } from './training.ts';

type Events = Extract<TrainReply, { type: 'steps' | 'magnitudes' | 'look' | 'paused' | 'resumed' }>;
type Unnumbered<Reply> = Reply extends unknown ? Omit<Reply, 'run'> : never;

/** Runs a training until it is ended, and tells how it goes; looks at what it makes now and then. */
export class TrainLoop {
  readonly #training: Training;
  readonly #tell: (event: Unnumbered<Events>) => void;
  readonly #steps: number;
  #until: number;
  #step = 0;
  #losses: number[] = [];
  #isPaused = false;
  #isEnded = false;
  #wake: (() => void) | undefined;
  /** Work that others want done between two steps. */
  readonly #errands: (() => Promise<void>)[] = [];

  constructor(training: Training, { steps }: TrainSettings, tell: (event: Unnumbered<Events>) => void) {
    this.#training = training;
    this.#tell = tell;
    this.#steps = steps;
    this.#until = steps;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (this.#step >= this.#until) this.#until += this.#steps;
    this.#isPaused = false;
    this.#wake?.();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  /** Does something while no step is under way. */
  between(errand: () => Promise<void>): void {
    this.#errands.push(errand);
    this.#wake?.();
  }

  /** Resolves when it was ended; rejects with what goes wrong. */
  async run(): Promise<void> {
    const pace = new Pace();
    const chores = [
      new Regularly(() => this.#tellLosses(pace.perSecond), { apart: 100, share: 1 }),
      new Regularly(() => this.#tellMagnitudes(), { apart: 250, share: 0.1 }),
      new Regularly(() => this.#look(), { apart: 400, share: 0.15 }),
    ];
    for (const chore of chores) await chore.now();
    while (!this.#isEnded) {
      if (this.#isPaused || this.#step >= this.#until) {
        for (const chore of chores) await chore.now();
        await this.#rest();
        pace.restart();
        continue;
      }
      this.#losses.push(await this.#training.step());
      this.#step++;
      pace.count();
      for (const chore of chores) await chore.ifDue();
      await otherMessages();
      await this.#runErrands();
    }
  }

  #tellLosses(stepsPerSecond: number | undefined): void {
    if (this.#losses.length === 0) return;
    this.#tell({ type: 'steps', step: this.#step, losses: this.#losses, stepsPerSecond });
    this.#losses = [];
  }

  async #tellMagnitudes(): Promise<void> {
    this.#tell({ type: 'magnitudes', step: this.#step, magnitudes: await this.#training.magnitudes() });
  }

  async #look(): Promise<void> {
    this.#tell({ type: 'look', step: this.#step, look: await this.#training.look() });
  }

  async #rest(): Promise<void> {
    this.#isPaused = true;
    this.#tell({ type: 'paused', step: this.#step });
    while (this.#isPaused && !this.#isEnded) {
      await this.#runErrands();
      if (this.#errands.length > 0 || !this.#isPaused || this.#isEnded) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (!this.#isEnded) this.#tell({ type: 'resumed' });
  }

  async #runErrands(): Promise<void> {
    for (const errand of this.#errands.splice(0)) await errand();
  }
}
