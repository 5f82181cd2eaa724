import type { Result, ResultFile } from '../results.ts';
import { ratioOf, show } from './ratio.ts';

export function machineLine({ cpu, cores, vectors, memoryGiB, platform }: ResultFile['machine']): string {
  return `Measured on: ${[cpu, `${cores} cores`, ...vectors, `${memoryGiB} GiB`, platform].join(', ')}.`;
}

/** What each implementation says of itself. */
export function implementationTable({ implementations }: ResultFile['machine']): string {
  const list = Object.entries(implementations)
    .sort(([a], [b]) => order(a) - order(b))
    .map(
      ([name, about]) =>
        `| ${name} | ${Object.entries(about)
          .filter(([key]) => key !== 'v8')
          .map(([key, value]) => `${key} ${value}`)
          .join(', ')} |`,
    );
  return ['| implementation | is |', '|---|---|', ...list].join('\n');
}

/** Ours first, then what is native. */
export function order(name: string): number {
  const known = ['evenkeel', 'pytorch', 'openblas', 'memcpy', 'webgpu-copy', 'onnxruntime', 'tfjs', 'jax-js'];
  const place = known.findIndex((start) => name.startsWith(start));
  return place < 0 ? known.length : place;
}

/** A figure, and how many times as good as ours it is. */
export function cell(one: Result, own: Result | undefined): string {
  const unit = one.unit === 'MiB' ? ' MiB' : '';
  return `${show(one.median)}${unit}${own === undefined || own === one ? '' : ` (${ratioOf(one, own).toFixed(2)}x)`}`;
}
