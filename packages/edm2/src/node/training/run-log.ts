import { join } from 'node:path';
import { appendToFile } from './append-to-file.ts';

/** A run's `log.txt`: what it says is also handed to whoever shows it. */
export class RunLog {
  readonly #path: string;
  readonly #show: (line: string) => void;

  constructor(folder: string, show: (line: string) => void = () => undefined) {
    this.#path = join(folder, 'log.txt');
    this.#show = show;
  }

  async print(line: string): Promise<void> {
    this.#show(line);
    await this.note(line);
  }

  /** As {@link print}, for what is shown in another way. */
  async note(line: string): Promise<void> {
    await appendToFile(this.#path, `${line}\n`);
  }
}
