import type { Node } from '../graph/node.ts';
import { isOp, rawNode } from '../graph/node.ts';
import type { Backend } from '../kernel/backend.ts';
import { canonicalize, type Program } from '../schedule/canonical.ts';
import type { DType } from '../types/dtype.ts';
import { elementCount, type Shape, sameShape, showShape } from '../types/shape.ts';
import { currentBackend } from './backend.ts';
import { type CallSite, captureCallSite } from './call-site.ts';
import { type Cell, cellOf, pendingCells } from './cell.ts';
import { DeviceValues } from './device-values.ts';
import { launch } from './launch.ts';
import { bindPreludes } from './prelude.ts';
import { type Split, splitPreludes } from './prelude-parts.ts';
import { disposeNode, pinnedLeaf, placeholder } from './storage.ts';
import { committedNow, submit, submitInitials, type Wanted } from './submit.ts';
import { type Draw, refuseInTrace, Trace, withTrace } from './trace.ts';

/** Results up to this many bytes go to the host at once, so that nobody has to dispose losses. */
const smallResultBytes = 4096;

/** Shape and dtype of a tensor argument. */
export interface InputSignature {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A function to be traced, in nodes. */
export interface TraceRequest {
  /** Number arguments; each becomes an argument node. */
  readonly argumentCount: number;
  /** Of all of them. @defaultValue 'float32' */
  readonly argumentDType?: 'float32' | 'float64';
  readonly tensorInputs: readonly InputSignature[];
  /** Called once, synchronously; gives the results. */
  build(given: { numbers: readonly Node<'argument'>[]; inputs: readonly Node<'buffer'>[] }): readonly Node[];
}

/** What is launched at each call, on one backend. */
interface Launched {
  /** Where the parts of the program that depend on cells alone were taken out. */
  readonly split: Split | undefined;
  readonly program: Program;
  /** Values of `program.scalars`, and where those stand that change from call to call. */
  readonly scalars: Float64Array;
  readonly places: ReadonlyMap<Node, number>;
}

/** What one call is given. */
export interface CompiledCall {
  readonly numbers: readonly number[];
  readonly inputs: readonly Node[];
}

/**
 * A traced function: its graph is built once and replayed. Cell assignments made in the function happen at each call,
 * on the cells' values of that time; random numbers are drawn anew.
 */
export class CompiledProgram {
  readonly #program: Program;
  readonly #placeholders: readonly Node<'buffer'>[];
  readonly #results: readonly Node[];
  readonly #updated: readonly Cell[];
  readonly #draws: readonly Draw[];
  readonly #argumentCount: number;
  readonly #site: CallSite | undefined;
  readonly #launched = new WeakMap<Backend, Launched>();
  #drawsAreFresh = true;

  private constructor(parts: {
    program: Program;
    placeholders: readonly Node<'buffer'>[];
    results: readonly Node[];
    updated: readonly Cell[];
    draws: readonly Draw[];
    argumentCount: number;
    site: CallSite | undefined;
  }) {
    this.#program = parts.program;
    this.#placeholders = parts.placeholders;
    this.#results = parts.results;
    this.#updated = parts.updated;
    this.#draws = parts.draws;
    this.#argumentCount = parts.argumentCount;
    this.#site = parts.site;
  }

  /**
   * Traces `request.build`. Assignments pending from before are committed first; those made in the function are recorded
   * and take effect at each call only.
   *
   * @throws when the function is asynchronous or reads a value.
   */
  static trace(request: TraceRequest): CompiledProgram {
    refuseInTrace('compile');
    const site = captureCallSite();
    if (pendingCells().length > 0) submit([]);
    const numbers = Array.from({ length: request.argumentCount }, (_, index) =>
      rawNode('argument', [], { index }, [], request.argumentDType ?? 'float32'),
    );
    const placeholders = request.tensorInputs.map(placeholder);
    const trace = new Trace();
    try {
      const results = withTrace(trace, () => request.build({ numbers, inputs: placeholders }));
      if (!Array.isArray(results)) {
        throw new Error('compile: the function is asynchronous. Write it without await, and read its results outside');
      }
      const cells = pendingCells();
      const updated = cells.filter((cell) => cell.assigned !== undefined);
      const fresh = new Set(cells.filter((cell) => cell.initial !== undefined));
      const program = canonicalize({
        outputs: results,
        updates: updated.map((cell) => ({ cell: cell.leaf, value: cell.assigned as Node })),
        isCommitted: committedNow(fresh),
      });
      for (const cell of updated) cell.dropAssignment();
      if (fresh.size > 0) submitInitials(site);
      return new CompiledProgram({
        program,
        placeholders,
        results,
        updated,
        draws: trace.draws,
        argumentCount: request.argumentCount,
        site,
      });
    } catch (error) {
      for (const cell of pendingCells()) if (cell.assigned !== undefined) cell.dropAssignment();
      throw error;
    }
  }

  /**
   * Replays the function. Results are leaves: small ones are on their way to the host, others own device buffers until
   * they are disposed.
   *
   * @throws when the number, shapes or dtypes of what is given differ from the trace's.
   */
  async run({ numbers, inputs }: CompiledCall): Promise<Node<'buffer'>[]> {
    refuseInTrace('compile');
    this.#check(numbers, inputs);
    const backend = currentBackend();
    const bindings = this.#bind(inputs);
    const program = this.#program;
    for (const leaf of program.leaves) {
      if (isOp(leaf, 'cell')) cellOf(leaf).isCommitted(cellOf(leaf).leaf);
    }
    const launched = this.#launchedOn(backend);
    const { split } = launched;
    this.#setScalars(launched, numbers);
    if (split !== undefined) {
      for (const [leaf, bound] of bindPreludes(split, program, backend, this.#site)) bindings.set(leaf, bound);
    }
    const results = new Map<Node, DeviceValues>();
    for (const node of new Set(this.#results)) {
      const values = new DeviceValues(
        'pinned',
        `compiled result ${showShape(node.shape)}`,
        node.dtype,
        elementCount(node.shape),
      );
      values.toHost = values.bytes <= smallResultBytes;
      results.set(node, values);
    }
    const site = captureCallSite();
    for (const cell of this.#updated) cell.commitReplay(site);
    const { submitted } = launch({
      backend,
      program: launched.program,
      takers: program.outputs.map((node) => results.get(node) as DeviceValues),
      updated: this.#updated.map((cell) => cell.values),
      bindings,
      // Calls may wait for their turn while later ones set other numbers.
      scalars: launched.scalars.slice(),
      site: this.#site,
    });
    for (const node of this.#placeholders) {
      const bound = bindings.get(node) as Node;
      if (!inputs.includes(bound)) disposeNode(bound);
    }
    await submitted;
    const leaves = new Map<Node, Node<'buffer'>>();
    for (const [node, values] of results) {
      leaves.set(node, pinnedLeaf(values, node.shape));
    }
    return this.#results.map((node) => leaves.get(node) as Node<'buffer'>);
  }

  /** Inputs that are graphs are computed, and assignments made outside committed, by a run before this one. */
  #bind(inputs: readonly Node[]): Map<Node, Node> {
    const wanted: Wanted[] = [];
    const bindings = new Map<Node, Node>();
    this.#placeholders.forEach((node, i) => {
      const input = inputs[i] as Node;
      if (isOp(input, 'buffer')) {
        bindings.set(node, input);
        return;
      }
      const taker = new DeviceValues(
        'pinned',
        `compiled input ${showShape(input.shape)}`,
        input.dtype,
        elementCount(input.shape),
      );
      wanted.push({ node: input, taker });
      bindings.set(node, pinnedLeaf(taker, input.shape));
    });
    if (wanted.length > 0 || pendingCells().length > 0) submit(wanted);
    return bindings;
  }

  #launchedOn(backend: Backend): Launched {
    let launched = this.#launched.get(backend);
    if (launched === undefined) {
      const split = splitPreludes(this.#program, new Set(this.#updated), backend);
      const program = split?.program ?? this.#program;
      const scalars = Float64Array.from(program.scalars, (node) =>
        isOp(node, 'constant') ? node.attributes.value : Number.NaN,
      );
      launched = { split, program, scalars, places: new Map(program.scalars.map((node, place) => [node, place])) };
      this.#launched.set(backend, launched);
    }
    return launched;
  }

  #setScalars({ program, scalars, places }: Launched, numbers: readonly number[]): void {
    program.scalars.forEach((node, place) => {
      if (isOp(node, 'argument')) scalars[place] = numbers[node.attributes.index] as number;
    });
    if (this.#drawsAreFresh) {
      this.#drawsAreFresh = false;
      return;
    }
    for (const { nodes, redraw } of this.#draws) {
      const drawn = redraw();
      nodes.forEach((node, i) => {
        const place = places.get(node);
        if (place !== undefined) scalars[place] = drawn[i] as number;
      });
    }
  }

  #check(numbers: readonly number[], inputs: readonly Node[]): void {
    if (numbers.length !== this.#argumentCount || inputs.length !== this.#placeholders.length) {
      throw new Error(
        `compile: traced with ${this.#argumentCount} numbers and ${this.#placeholders.length} tensors, called with ${numbers.length} and ${inputs.length}`,
      );
    }
    inputs.forEach((input, i) => {
      const expected = this.#placeholders[i] as Node;
      if (input.dtype !== expected.dtype || !sameShape(input.shape, expected.shape)) {
        throw new Error(
          `compile: tensor ${i} was traced as ${expected.dtype} ${showShape(expected.shape)}, got ${input.dtype} ${showShape(input.shape)}`,
        );
      }
    });
  }
}
