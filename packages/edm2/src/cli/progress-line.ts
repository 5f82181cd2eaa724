import type { WriteStream } from 'node:tty';

/** A line of status that rewrites itself on a terminal, and is printed now and then elsewhere. */
export class ProgressLine {
  readonly #stream: WriteStream;
  readonly #everyMs: number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #isOpen = false;

  constructor(
    stream: WriteStream = process.stdout,
    { everyMs = stream.isTTY ? 200 : 10_000 }: { readonly everyMs?: number } = {},
  ) {
    this.#stream = stream;
    this.#everyMs = everyMs;
  }

  /** Shows the line made by `text`, unless one was shown a moment ago. */
  update(text: () => string): void {
    const now = performance.now();
    if (now - this.#lastMs < this.#everyMs) return;
    this.#lastMs = now;
    if (this.#stream.isTTY) {
      this.#stream.write(`\r\u001b[2K${text().slice(0, (this.#stream.columns || 80) - 1)}`);
      this.#isOpen = true;
    } else this.#stream.write(`${text()}\n`);
  }

  /** Prints a line that stays. */
  print(text: string): void {
    if (this.#isOpen) this.#stream.write('\r\u001b[2K');
    this.#isOpen = false;
    this.#stream.write(`${text}\n`);
  }
}

/** Seconds as people say them: `42 s`, `3 min 05 s`, `2 h 05 min`, `3 d 07 h`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [minute, hour, day] = [60, 3600, 86_400];
  const pair = (large: number, largeName: string, small: number, smallName: string): string =>
    `${Math.floor(whole / large)} ${largeName} ${String(Math.floor((whole % large) / small)).padStart(2, '0')} ${smallName}`;
  if (whole < minute) return `${whole} s`;
  if (whole < hour) return pair(minute, 'min', 1, 's');
  return whole < day ? pair(hour, 'h', minute, 'min') : pair(day, 'd', hour, 'h');
}
