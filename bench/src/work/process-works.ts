import type { Unit } from './work.ts';

/** What is measured of whole processes, each time in a new one. */
export interface ProcessWork {
  readonly name: string;
  readonly unit: Unit;
  /** What is started for it: works of one program are measured together. */
  readonly program: 'first-step' | 'plan' | 'memory';
}

/** All of them; they are about a training step of the bench's network, but for the first step, a smaller one's. */
export const processWorks: readonly ProcessWork[] = [
  /** From import to the loss of the first training step of a network of the quickstart's size. */
  { name: 'edm2-first-step', unit: 'ms', program: 'first-step' },
  /** From the call of a training step to the launch of its plan, which has to be made. */
  { name: 'edm2-plan-cold', unit: 'ms', program: 'plan' },
  /** The same, when the plan is known. */
  { name: 'edm2-plan-cached', unit: 'ms', program: 'plan' },
  /** Wall time of a training step less the busy time of a worker. */
  { name: 'edm2-host-overhead', unit: 'ms', program: 'plan' },
  /** Inputs, outputs, temporaries and scratch of the plan. */
  { name: 'edm2-plan-memory', unit: 'MiB', program: 'plan' },
  /** By how much the process grows in training, at its largest. */
  { name: 'edm2-train-step-memory', unit: 'MiB', program: 'memory' },
];
