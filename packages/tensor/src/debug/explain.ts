import type { Node } from '../graph/node.ts';
import { isOp } from '../graph/node.ts';
import type { Backend, ScratchItem } from '../kernel/backend.ts';
import { describeKernel } from '../kernel/describe-kernel.ts';
import { elementBytes } from '../kernel/element-bytes.ts';
import type { Plan } from '../kernel/plan.ts';
import { showBytes } from '../kernel/show-bytes.ts';
import { planNeeds } from '../runtime/budget.ts';
import { cellOf } from '../runtime/cell.ts';
import { knownPlan, scheduleFor } from '../runtime/plan-cache.ts';
import { previewRun } from '../runtime/submit.ts';
import type { Program } from '../schedule/canonical.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { liveBytes } from './live-bytes.ts';

/** Anything with a node: a tensor, or a node itself. */
export type Explainable = Node | { readonly node: Node };

/** One kernel of an explained plan. */
export interface ExplainedStep {
  readonly kind: 'row' | 'contraction' | 'scatterAdd' | 'host';
  /** What was fused into it. */
  readonly description: string;
  /** Multiply-adds counted as two. */
  readonly flops: number;
  /** Bytes read and written, once each. */
  readonly bytes: number;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Why the backend refused the kernel, which runs on the host instead. */
  readonly refused?: string;
  /** Depends on cells alone: runs once, until one of them changes. */
  readonly prelude?: true;
}

/** What a read would run. `String(explanation)` is a table for people. */
export interface Explanation {
  readonly backend: string;
  /** What it computes with, where it says so, such as `WebGPU, nvidia h100`. */
  readonly device?: string;
  readonly steps: readonly ExplainedStep[];
  readonly flops: number;
  readonly bytes: number;
  /** Bytes of each slot that temporaries share. */
  readonly slots: readonly number[];
  /** What the run needs beside inputs and outputs: its slots, and what kernels work in, as far as the backend tells. */
  readonly scratch: readonly ScratchItem[];
  /** Inputs, outputs and scratch together: what a run reserves. */
  readonly peakBytes: number;
  /** The most bytes of values that must live at once, in this order of kernels. */
  readonly liveBytes: number;
  /** Paths of the cells that the run would update. */
  readonly updates: readonly string[];
  toString(): string;
}

/**
 * The kernels that reading `what` would run now, pending assignments included; nothing is computed.
 *
 * @example
 * const x = new Generator(1).normal([64, 128]);
 * console.log(String(explain(x.matmul(x.transpose()).relu().sum()))); // a table, one row a kernel
 */
export function explain(...what: readonly Explainable[]): Explanation {
  const { backend, prelude, program, parts } = previewRun(what.map((one) => ('op' in one ? one : one.node)));
  const partNames = new Map<Node, string>(parts.map(({ leaf, cells }) => [leaf, `prelude of ${cells[0]?.path}`]));
  const runs = [...(prelude === undefined ? [] : [prelude]), program].map((one) => {
    const scheduled = knownPlan(backend, one)?.schedule ?? scheduleFor(backend, one);
    const { plan } = scheduled;
    const explained = explainSteps(scheduled, one, backend, partNames, one === prelude);
    return { ...explained, plan, live: liveBytes(plan, backend.capabilities) };
  });
  const steps = runs.flatMap((run) => run.steps);
  const sum = (pick: (step: ExplainedStep) => number) => steps.reduce((total, step) => total + pick(step), 0);
  const explanation = {
    backend: backend.name,
    ...(backend.numerics === undefined ? {} : { device: backend.numerics }),
    steps,
    flops: sum(({ flops }) => flops),
    bytes: sum(({ bytes }) => bytes),
    slots: runs.at(-1)?.plan.slots ?? [],
    scratch: runs.at(-1)?.scratch ?? [],
    peakBytes: Math.max(...runs.map((run) => run.peakBytes)),
    liveBytes: Math.max(...runs.map((run) => run.live)),
    updates: program.updates.map(({ cell }) => cell.attributes.cell.path),
  };
  return { ...explanation, toString: () => print(explanation) };
}

function explainSteps(
  { plan, inputs, refused }: Schedule,
  program: Program,
  backend: Backend,
  partNames: ReadonlyMap<Node, string>,
  isPrelude: boolean,
): { steps: ExplainedStep[]; scratch: readonly ScratchItem[]; peakBytes: number } {
  const { capabilities } = backend;
  const names = valueNames(plan, (input) => {
    const leaf = program.leaves[inputs[input] as number] as Node;
    return partNames.get(leaf) ?? leafName(leaf);
  });
  const steps = plan.steps.map(({ kernel, operands, flops, bytes }, index): ExplainedStep => {
    const named = (accesses: readonly string[], pick: (value: number) => number) =>
      operands
        .filter((_, i) => accesses.includes(kernel.operands[i]?.access ?? ''))
        .map((value) => names[pick(value)] as string);
    const reason = refused.get(index);
    return {
      kind: kernel.kind,
      description: describeKernel(kernel),
      flops,
      bytes,
      reads: named(['in', 'inout'], (value) => plan.values[value]?.replaces ?? value),
      writes: named(['out', 'inout'], (value) => value),
      ...(reason === undefined ? {} : { refused: reason }),
      ...(isPrelude ? { prelude: true } : {}),
    };
  });
  const inputBytes = plan.inputs.reduce((total, number) => {
    const value = plan.values[number];
    return value === undefined ? total : total + value.length * elementBytes(capabilities, value.dtype);
  }, 0);
  const { outputs, scratch, scratchBytes } = planNeeds(plan, backend);
  return { steps, scratch, peakBytes: inputBytes + outputs + scratchBytes };
}

function leafName(leaf: Node): string {
  return isOp(leaf, 'cell') ? cellOf(leaf).path : `input [${leaf.shape.join(', ')}]`;
}

function valueNames(plan: Plan, inputName: (input: number) => string): string[] {
  return plan.values.map((value, number) => {
    if (value.role === 'input') return inputName(plan.inputs.indexOf(number));
    if (value.role === 'output') {
      const place = value.replaces === undefined ? '' : ' in place';
      return `output ${plan.outputs.indexOf(number)}${place}`;
    }
    return `slot ${value.slot ?? '-'}`;
  });
}

function print(explanation: Omit<Explanation, 'toString'>): string {
  const { backend, device, steps, flops, bytes, slots, scratch, peakBytes, liveBytes, updates } = explanation;
  const lines = steps.map((step, i) => {
    const prelude = step.prelude ? '  (once, until a cell changes)' : '';
    const refused = step.refused === undefined ? '' : `  (refused by the backend: ${step.refused})`;
    return `${String(i).padStart(4)}  ${showCount(step.flops).padStart(8)}flop  ${showBytes(step.bytes).padStart(9)}  ${step.description}${prelude}${refused}  <- ${step.reads.join(', ') || 'nothing'} -> ${step.writes.join(', ')}`;
  });
  const total = `${steps.length} kernels on '${backend}'${device === undefined ? '' : ` (${device})`}: ${showCount(flops)}flop, ${showBytes(bytes)} moved, peak ${showBytes(peakBytes)} (values ${showBytes(liveBytes)} at once), ${slots.length} slots of ${showBytes(slots.reduce((a, b) => a + b, 0))}`;
  const needed = scratch.map(({ what, bytes }) => `${what} ${showBytes(bytes)}`);
  const working = needed.length === 0 ? [] : [`works in ${needed.join(', ')}`];
  const updated = updates.length === 0 ? [] : [`updates ${updates.join(', ')}`];
  return [total, ...working, ...updated, ...lines].join('\n');
}

/** `1.2 G`: a count with its decimal prefix. */
function showCount(count: number): string {
  const prefixes = ['', 'k', 'M', 'G', 'T'];
  let value = count;
  let prefix = 0;
  while (value >= 1000 && prefix < prefixes.length - 1) {
    value /= 1000;
    prefix++;
  }
  return `${Number(value.toPrecision(3))} ${prefixes[prefix]}`;
}
