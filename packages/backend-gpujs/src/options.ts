import type { Backend } from '@evenkeel/tensor';

/** Where gpu.js runs kernels. */
export type GpujsMode = 'webgpu' | 'webgl2' | 'webgl' | 'headlessgl' | 'webasm' | 'cpu';

export const modes: readonly GpujsMode[] = ['webgpu', 'webgl2', 'webgl', 'headlessgl', 'webasm', 'cpu'];

/** How a gpu.js backend works. */
export interface GpujsOptions {
  /** Where kernels run. Default: the best graphics mode present; `webasm` and `cpu` run on the processor, and only if named. */
  readonly mode?: GpujsMode;
  /** What computes where no mode works; `false` makes that an error. Default: the JS backend of `@evenkeel/tensor`. */
  readonly fallback?: Backend | false;
  /** Is given the line that says so when a fallback is used. Default: `console.warn`. */
  readonly warn?: (line: string) => void;
}

/** @throws with what is wrong with an option, and what it may be. */
export function checkOptions({ mode, fallback, warn }: GpujsOptions): void {
  if (mode !== undefined && !modes.includes(mode)) throw wrong('mode', mode, `${modes.join(', ')}, or left out`);
  if (fallback !== undefined && fallback !== false && typeof (fallback as Backend | null)?.compile !== 'function') {
    throw wrong('fallback', fallback, 'a backend, false, or left out');
  }
  if (warn !== undefined && typeof warn !== 'function') throw wrong('warn', warn, 'a function that is given a line');
}

function wrong(option: string, value: unknown, allowed: string): Error {
  return new Error(`gpujs: ${option} is ${String(value)}. It must be ${allowed}`);
}
