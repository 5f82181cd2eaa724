import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';

/** Where figures come from. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Vector instructions that the processor has. */
  readonly vectors: readonly string[];
  readonly memoryGiB: number;
  readonly platform: string;
  readonly node: string;
  readonly v8: string;
  /** By name of implementation: its version, instructions and the like. */
  readonly implementations: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export function describeMachine(implementations: Machine['implementations']): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    vectors: vectorInstructions(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch} ${release()}`,
    node: process.version,
    v8: process.versions.v8,
    implementations,
  };
}

/** Linux says it of x86; elsewhere nothing is known. */
function vectorInstructions(): string[] {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? [];
    return ['sse4_1', 'avx', 'fma', 'avx2', 'avx512f'].filter((name) => flags.includes(name));
  } catch {
    return [];
  }
}
