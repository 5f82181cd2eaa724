import { duration } from '../../cli/progress-line.ts';
import { appendStats, StatsCollector } from './stats.ts';
import type { EventFile } from './tensorboard/event-file.ts';

/** Where a run stands. */
export interface RunPlace {
  readonly images: number;
  readonly secondsLeft: number;
}

/** What {@link StatusReport} is made with. */
export interface StatusReportOptions {
  readonly folder: string;
  readonly events: EventFile;
  /** Images seen when this part of the run began. */
  readonly images: number;
  /** Seconds that earlier parts took. */
  readonly elapsedSeconds: number;
}

/** Collects what happens between two status lines, and reports it: to `stats.jsonl`, to TensorBoard and as a line. */
export class StatusReport {
  readonly #folder: string;
  readonly #events: EventFile;
  readonly #means = new StatsCollector();
  readonly #start = performance.now();
  readonly #earlierSeconds: number;
  #tickStart = performance.now();
  #tickImages: number;
  #maintenanceMs = 0;
  #nonFinite = 0;

  constructor({ folder, events, images, elapsedSeconds }: StatusReportOptions) {
    this.#folder = folder;
    this.#events = events;
    this.#tickImages = images;
    this.#earlierSeconds = elapsedSeconds;
  }

  /** Seconds of training, all parts of the run together. */
  get elapsedSeconds(): number {
    return this.#earlierSeconds + (performance.now() - this.#start) / 1000;
  }

  /** Takes in the numbers of a step. */
  addStep(step: { readonly loss: number; readonly learningRate: number; readonly nonFinite: number }): void {
    this.#means.add('Loss/loss', step.loss);
    this.#means.add('Loss/learning_rate', step.learningRate);
    this.#nonFinite += step.nonFinite;
  }

  /** Runs what is not training, and counts its time as such. */
  async maintain<T>(work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await work();
    this.#maintenanceMs += performance.now() - start;
    return result;
  }

  /** Writes the values, and gives the line. */
  async write({ images, secondsLeft }: RunPlace): Promise<string> {
    const now = performance.now();
    const [tickSeconds, maintenance] = [(now - this.#tickStart) / 1000, this.#maintenanceMs / 1000];
    const kimg = (images - this.#tickImages) / 1000;
    const means = this.#means.take();
    const values = {
      'Progress/kimg': images / 1000,
      'Loss/loss': means['Loss/loss'] ?? Number.NaN,
      'Loss/learning_rate': means['Loss/learning_rate'] ?? Number.NaN,
      'Loss/non_finite_gradients': this.#nonFinite,
      'Timing/total_sec': this.elapsedSeconds,
      'Timing/sec_per_tick': tickSeconds,
      'Timing/sec_per_kimg': kimg > 0 ? (tickSeconds - maintenance) / kimg : Number.NaN,
      'Timing/maintenance_sec': maintenance,
      'Resources/cpu_mem_gb': process.memoryUsage().rss / 2 ** 30,
    };
    await appendStats(this.#folder, { ...values, timestamp: Date.now() / 1000 });
    await this.#events.add(images, values);
    this.#tickStart = now;
    this.#tickImages = images;
    this.#maintenanceMs = 0;
    this.#nonFinite = 0;
    return statusLine(values, secondsLeft);
  }
}

function statusLine(values: Readonly<Record<string, number>>, secondsLeft: number): string {
  const of = (name: string, digits: number): string => (values[name] as number).toFixed(digits);
  const parts = [
    `kimg ${of('Progress/kimg', 1)}`,
    `time ${duration(values['Timing/total_sec'] as number)}`,
    `s/kimg ${of('Timing/sec_per_kimg', 2)}`,
    `loss ${of('Loss/loss', 4)}`,
    `rate ${(values['Loss/learning_rate'] as number).toExponential(2)}`,
    `memory ${of('Resources/cpu_mem_gb', 2)} GiB`,
  ];
  const lost = values['Loss/non_finite_gradients'] as number;
  if (lost > 0) parts.push(`${lost} gradients were not finite`);
  if (Number.isFinite(secondsLeft)) parts.push(`${duration(secondsLeft)} left`);
  return parts.join('   ');
}
