import { hostname } from 'node:os';
import { join } from 'node:path';
import { appendToFile } from '../append-to-file.ts';
import { encodeEvent } from './event.ts';

/** What {@link EventFile} is made with. */
export interface EventFileOptions {
  /** The step that training begins at, or goes on from. @defaultValue 0 */
  readonly step?: number;
}

/**
 * A file of scalars that TensorBoard shows. Each run and each resumed part of one has its own in the run's folder; what an
 * earlier part wrote beyond the step that a later one began at is left out of the picture.
 *
 * @example
 * ```ts
 * import { mkdir } from 'node:fs/promises';
 *
 * await mkdir('out/my-run', { recursive: true });
 * const events = await EventFile.create('out/my-run');
 * await events.add(1024, { 'Loss/loss': 0.71, 'Loss/learning_rate': 0.01 });
 * ```
 */
export class EventFile {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Begins a file in `folder`, which must exist. */
  static async create(folder: string, { step = 0 }: EventFileOptions = {}): Promise<EventFile> {
    const wallTime = Date.now() / 1000;
    // Files are read in the order of their names.
    const name = `events.out.tfevents.${wallTime.toFixed(3)}.${hostname()}.${process.pid}`;
    const file = new EventFile(join(folder, name));
    await file.#append(encodeEvent({ wallTime, step: 0, fileVersion: 'brain.Event:2' }));
    await file.#append(encodeEvent({ wallTime, step, isStart: true }));
    return file;
  }

  /** Appends values by tag. */
  async add(step: number, scalars: Readonly<Record<string, number>>): Promise<void> {
    await this.#append(encodeEvent({ wallTime: Date.now() / 1000, step, scalars }));
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await appendToFile(this.path, bytes);
  }
}
