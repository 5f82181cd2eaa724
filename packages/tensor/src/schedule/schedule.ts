import { type HostFunction, type Node, rawNode } from '../graph/node.ts';
import { Simplifier } from '../graph/simplify.ts';
import type { Capabilities } from '../kernel/backend.ts';
import { flopsOf } from '../kernel/cost.ts';
import { elementBytes } from '../kernel/element-bytes.ts';
import type { Kernel } from '../kernel/ir.ts';
import type { Plan, PlanValue, Step } from '../kernel/plan.ts';
import { elementCount, stridesOf } from '../types/shape.ts';
import type { Program, Update } from './canonical.ts';
import type { Emitted, Surroundings, Target } from './emit.ts';
import { type Cluster, fuse, isLeaf } from './fuse.ts';
import { emitAll } from './in-place.ts';
import { chooseLayouts } from './layout.ts';
import { orderClusters, type Replacement } from './order.ts';
import { placementOf, stridesIn } from './placement.ts';
import { splitRefused, verdictOn } from './refused.ts';
import { assignSlots } from './slots.ts';

/** A plan with what to bind to it. */
export interface Schedule {
  readonly plan: Plan;
  /** `plan.inputs[i]` is bound to `program.leaves[inputs[i]]`. */
  readonly inputs: readonly number[];
  /** Launch argument i is the value of `program.scalars[arguments[i]]`. */
  readonly arguments: readonly number[];
  /** Kernels that the backend refused, by step. */
  readonly refused: ReadonlyMap<number, string>;
}

export interface ScheduleOptions {
  readonly capabilities: Capabilities;
  /** Whether the backend runs a kernel; default: all. */
  supports?(kernel: Kernel): true | string;
  /** A host function that computes operand `output` of a refused kernel from the operands it reads, in order. */
  hostFunction?(kernel: Kernel, output: number): HostFunction;
}

/** Turns a program into a plan: simplify, fuse, choose layouts, print kernels, order them, place temporaries. */
export function schedule(program: Program, options: ScheduleOptions): Schedule {
  const { capabilities } = options;
  const simplifier = new Simplifier((node) => node.op !== 'cell' || program.isCommitted(node as Node<'cell'>));
  simplifier.run(program.nodes);
  const leaves = leafTable(program, simplifier);
  const wholes = readWhole(program, simplifier);
  const targets = targetsOf(program, simplifier, wholes);
  const required = new Set(targets.map(({ node }) => node));
  const fusion = fuse(inProgramOrder(program, simplifier, required), required, capabilities.buffersPerKernel);
  const replacements = replaceableCells(program, simplifier, targets, leaves);
  const ordered = orderClusters(fusion.clusters, replacements);
  const layouts = chooseLayouts(fusion, new Set([...required, ...wholes]), capabilities.layouts.conv);

  const targetLists = new Map<Node, Target[]>();
  for (const target of targets) targetLists.set(target.node, [...(targetLists.get(target.node) ?? []), target]);
  for (const node of fusion.stored) {
    if (targetLists.has(node)) continue;
    const order = layouts.get(node);
    targetLists.set(node, [{ node, strides: order ? stridesIn(order, node.shape) : stridesOf(node.shape) }]);
  }
  const around: Surroundings = {
    isStored: (node) => isLeaf(node) || fusion.stored.has(node),
    targets: (node) => targetLists.get(node) ?? [],
    // What is read of a node is the first buffer that was written for it.
    strides: (node) => targetLists.get(node)?.[0]?.strides ?? stridesOf(node.shape),
  };

  const useful = ordered.filter((cluster) => writesSomething(cluster, around));
  // Host steps write one buffer each: what a refused kernel reads must outlast the first of them.
  const overwrites = (kernel: Kernel): boolean => capabilities.inPlace && verdictOn(kernel, options) === true;
  const emitted = emitAll(useful, around, replacements, overwrites);
  return assemble(program, { targets, emitted, leaves, simplifier, around }, options);
}

/** Whether a kernel has elements to write; host functions run for what else they do. */
function writesSomething({ kind, members }: Cluster, around: Surroundings): boolean {
  return members.some(
    (member) => around.targets(member).length > 0 && (kind === 'host' || elementCount(member.shape) > 0),
  );
}

/** Simplified leaves: their number among the program's leaves. */
function leafTable(program: Program, simplifier: Simplifier): Map<Node, number> {
  const table = new Map<Node, number>();
  program.leaves.forEach((leaf, number) => {
    table.set(simplified(leaf, simplifier), number);
  });
  return table;
}

/** A leaf as the simplified graph has it; cells that are only written are not part of the graph. */
function simplified(leaf: Node, simplifier: Simplifier): Node {
  return simplifier.has(leaf) ? simplifier.of(leaf) : leaf;
}

/** What host functions are given: whole buffers, row-major. */
function readWhole({ nodes }: Program, simplifier: Simplifier): Set<Node> {
  return new Set(nodes.flatMap((node) => (node.op === 'host' ? simplifier.of(node).sources : [])));
}

function targetsOf({ outputs, updates }: Program, simplifier: Simplifier, wholes: ReadonlySet<Node>): Target[] {
  const written = new Set<Node>();
  return [...outputs, ...updates.map(({ value }) => value)].map((wanted) => {
    const { node, strides } = placementOf(simplifier.of(wanted), wholes);
    // These kernels write one buffer: a result asked for twice is copied.
    const writesOnce = node.op === 'scatterAdd' || node.op === 'host';
    if (writesOnce && written.has(node))
      return { node: rawNode('detach', [node], {}, node.shape, node.dtype), strides };
    written.add(node);
    return { node, strides };
  });
}

/** The simplified nodes that are needed, in the order of the nodes they came from. */
function inProgramOrder(program: Program, simplifier: Simplifier, required: ReadonlySet<Node>): Node[] {
  const needed = new Set<Node>();
  const stack = [...required];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (needed.has(node)) continue;
    needed.add(node);
    if (!isLeaf(node)) stack.push(...node.sources);
  }
  const placed = new Set<Node>();
  const place = (node: Node): void => {
    if (placed.has(node) || !needed.has(node)) return;
    placed.add(node);
    if (!isLeaf(node)) node.sources.forEach(place);
    // Insertion order is kept by the second set: sources first.
    result.push(node);
  };
  const result: Node[] = [];
  for (const node of program.nodes) place(simplifier.of(node));
  required.forEach(place);
  return result;
}

/** Updates whose new value may take the old one's buffer: same length and dtype, each cell once. */
function replaceableCells(
  program: Program,
  simplifier: Simplifier,
  targets: readonly Target[],
  leaves: ReadonlyMap<Node, number>,
): Replacement[] {
  return program.updates.flatMap(({ cell }: Update, i) => {
    const leaf = simplified(cell, simplifier);
    const target = targets[program.outputs.length + i] as Target;
    return leaves.has(leaf) && target.node !== leaf ? [{ leaf, target }] : [];
  });
}

interface Parts {
  readonly targets: readonly Target[];
  readonly emitted: readonly Emitted[];
  readonly leaves: ReadonlyMap<Node, number>;
  readonly simplifier: Simplifier;
  readonly around: Surroundings;
}

/** Numbers values and arguments, measures lifetimes, shares slots. */
function assemble(
  program: Program,
  { targets, emitted, leaves, simplifier, around }: Parts,
  options: ScheduleOptions,
): Schedule {
  const { kernels, refused } = splitRefused(emitted, options);
  const values: { -readonly [K in keyof PlanValue]: PlanValue[K] }[] = [];
  const numbers = new Map<Node | Target, number>();
  const inputs: number[] = [];
  const planInputs: number[] = [];
  const addValue = (what: Node | Target, node: Node, role: PlanValue['role'], first: number): number => {
    const number = values.push({ dtype: node.dtype, length: elementCount(node.shape), role, first, last: first }) - 1;
    numbers.set(what, number);
    return number;
  };
  const addInput = (leaf: Node): number => {
    const known = numbers.get(leaf);
    if (known !== undefined) return known;
    inputs.push(leaves.get(leaf) as number);
    const number = addValue(leaf, leaf, 'input', -1);
    planInputs.push(number);
    return number;
  };
  const updatedLeaf = (i: number): Node => {
    const { cell } = program.updates[i] as Update;
    return simplified(cell, simplifier);
  };
  program.updates.forEach((_, i) => {
    addInput(updatedLeaf(i));
  });

  const scalarNumber = new Map(program.scalars.map((scalar, number) => [simplifier.of(scalar), number]));
  const launch: number[] = [];
  const launchNumber = (scalar: Node): number => {
    const number = scalarNumber.get(scalar) as number;
    const known = launch.indexOf(number);
    return known >= 0 ? known : launch.push(number) - 1;
  };

  const wanted = new Set(targets);
  const steps = kernels.map((emission, index): Step => {
    const operands = emission.operands.map((what) => {
      if ('op' in what && isLeaf(what)) return addInput(what);
      const target = 'op' in what ? (around.targets(what)[0] as Target) : what;
      return numbers.get(target) ?? addValue(target, target.node, wanted.has(target) ? 'output' : 'temporary', index);
    });
    for (const operand of operands) (values[operand] as { last: number }).last = index;
    const bytes = operands.reduce((sum, number, i) => {
      const { dtype, length } = values[number] as PlanValue;
      const touches = emission.kernel.operands[i]?.access === 'inout' ? 2 : 1;
      return sum + touches * elementBytes(options.capabilities, dtype) * length;
    }, 0);
    return {
      kernel: emission.kernel,
      operands,
      arguments: emission.scalars.map(launchNumber),
      flops: flopsOf(emission.kernel),
      bytes,
    };
  });
  const outputs = targets.map((target) => {
    // Nothing writes a result without elements.
    const number = numbers.get(target) ?? addValue(target, target.node, 'output', steps.length);
    const value = values[number] as { last: number; replaces?: number };
    value.last = steps.length;
    if (target.replaces) value.replaces = numbers.get(target.replaces) as number;
    return number;
  });
  const temporaries = values.flatMap((value, number) => (value.role === 'temporary' ? [number] : []));
  const slots = assignSlots(
    temporaries.map((number) => {
      const { first, last, dtype, length } = values[number] as PlanValue;
      return { first, last, bytes: elementBytes(options.capabilities, dtype) * length };
    }),
  );
  temporaries.forEach((number, i) => {
    (values[number] as { slot?: number }).slot = slots.slotOf[i] as number;
  });
  const updates = program.updates.map((_, i) => ({
    input: planInputs.indexOf(numbers.get(updatedLeaf(i)) as number),
    output: program.outputs.length + i,
  }));
  const plan: Plan = {
    values,
    inputs: planInputs,
    outputs,
    steps,
    updates,
    argumentCount: launch.length,
    slots: slots.bytes,
  };
  return { plan, inputs, arguments: launch, refused };
}
