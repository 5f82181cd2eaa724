import type { CellIdentity, Node } from '../graph/node.ts';
import { rawNode } from '../graph/node.ts';
import type { DType, HostArray } from '../types/dtype.ts';
import { elementCount, type Shape, sameShape, showShape } from '../types/shape.ts';
import type { CallSite } from './call-site.ts';
import { warnOnce } from './development.ts';
import { DeviceValues } from './device-values.ts';
import { PoisonedCellError } from './poisoned-cell.ts';
import { RunRecord } from './run-record.ts';
import { StaleReadError, VersionLog } from './stale-read.ts';
import { hostLeaf, storedCopy } from './storage.ts';

let nextId = 1;

const dropped = new FinalizationRegistry<DeviceValues>((values) => {
  if (values.backend !== undefined) {
    warnOnce(
      'dropped cell',
      `${values.path} (${values.bytes} bytes) was dropped without dispose(). Dispose the module, optimizer or average that owns it, or hold it with \`using\``,
    );
  }
  values.retire();
});

/** Cells with assignments that no run has committed, in program order; a dropped cell's are nobody's. */
const pending = new Set<WeakRef<Cell>>();

/** Live cells with pending assignments, in program order. */
export function pendingCells(): Cell[] {
  const cells: Cell[] = [];
  for (const reference of pending) {
    const cell = reference.deref();
    if (cell === undefined) pending.delete(reference);
    else cells.push(cell);
  }
  return cells;
}

interface Assignment {
  readonly node: Node<'cell'>;
  readonly value: Node;
}

/**
 * A named value that changes: what a {@link State} stands on, for code that works on graph nodes rather than tensors.
 * It owns one buffer. `assign` makes a new value current at once, in the graph; the next realize or commit writes it.
 *
 * @example
 * using count = new State(zeros([]), { path: 'count' });
 * count.cell.path; // 'count'
 */
export class Cell implements CellIdentity {
  readonly id: number;
  readonly shape: Shape;
  readonly dtype: DType;
  /** The values of the committed version. For the runtime. */
  readonly values: DeviceValues;
  #latest = 0;
  /** Version that runs asked for so far leave behind; -1 before the first value is computed. */
  #committed = -1;
  #node: Node<'cell'>;
  #leaf: Node<'cell'>;
  #leafId: number | undefined;
  #initial: Node | undefined;
  #assignment: Assignment | undefined;
  readonly #reference: WeakRef<Cell>;
  #disposed = false;
  #watchers: (() => void)[] = [];
  readonly #log = new VersionLog();

  /**
   * @param options.value host values (copied), or a node that is computed with the first run.
   * @param options.path name in messages and in `memory()`; a module sets it later.
   */
  constructor(options: { path?: string; shape: Shape; dtype: DType; value: Node | HostArray }) {
    const { path, shape, dtype, value } = options;
    this.id = nextId++;
    this.shape = shape;
    this.dtype = dtype;
    this.values = new DeviceValues('cells', path ?? `cell ${this.id}`, dtype, elementCount(shape));
    this.#reference = new WeakRef(this);
    this.#leaf = this.#leafNode(0);
    if (ArrayBuffer.isView(value)) {
      this.#checkLength(value);
      this.values.takeHost(storedCopy(dtype, value));
      this.#committed = 0;
      this.#node = this.#leaf;
    } else {
      this.#checkValue(value);
      this.#initial = value;
      this.#node = this.#versionNode([value], 0);
      pending.add(this.#reference);
    }
    dropped.register(this, this.values, this);
  }

  /** Name in messages and in `memory()`. */
  get path(): string {
    return this.values.path;
  }

  set path(path: string) {
    this.values.path = path;
  }

  /** Number of the current value; each assignment makes a new one. */
  get version(): number {
    return this.#node.attributes.version;
  }

  /** The current value, committed or not. */
  get node(): Node<'cell'> {
    this.#log.noteRead(this.version);
    return this.#node;
  }

  /**
   * Makes `value` current, at once in the graph. The next realize or commit writes it.
   *
   * @throws when shape or dtype differ from the cell's.
   */
  assign(value: Node): void {
    this.#checkAlive();
    this.#checkValue(value);
    if (value === this.#node) return;
    const node = this.#versionNode([value], ++this.#latest);
    this.#log.noteOverwrite(this.version);
    this.#assignment = { node, value };
    this.#node = node;
    pending.add(this.#reference);
  }

  /** Makes a copy of host `values`, row-major, current. */
  write(values: HostArray): void {
    this.#checkLength(values);
    this.assign(hostLeaf(storedCopy(this.dtype, values), this.shape, this.dtype));
  }

  /** Frees the buffer once all that was asked for before is done. Reading the cell afterwards throws. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#assignment = undefined;
    this.#initial = undefined;
    pending.delete(this.#reference);
    dropped.unregister(this);
    this.values.retire();
    this.#changed();
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  // For the runtime: what a run commits.

  /** Leaf of the committed version. */
  get leaf(): Node<'cell'> {
    return this.#leaf;
  }

  /** The first value, until a run has been asked to compute it. */
  get initial(): Node | undefined {
    return this.#initial;
  }

  /** The value assigned and not committed. */
  get assigned(): Node | undefined {
    return this.#assignment?.value;
  }

  /** Why the committed values must not be read; undefined when all is well. */
  get poison(): PoisonedCellError | undefined {
    const cause = this.values.writer?.failure;
    if (cause === undefined) return undefined;
    return new PoisonedCellError(this.path, cause);
  }

  /**
   * Whether version `version`, which a graph refers to, is read from the buffer (true) or computed from its source (false).
   *
   * @throws StaleReadError when it was overwritten; an error when the cell is disposed or poisoned.
   */
  isCommitted(node: Node<'cell'>): boolean {
    this.#checkAlive();
    const { version } = node.attributes;
    if (version > this.#committed) return false;
    if (version < this.#committed) throw new StaleReadError(this.path, this.#log.of(version));
    const { poison } = this;
    if (poison !== undefined) throw poison;
    return true;
  }

  /** The initial value counts as committed from here on: a run was asked for that leaves it in the buffer. */
  commitInitial(): void {
    this.#initial = undefined;
    this.#committed = 0;
    if (this.#assignment === undefined) {
      this.#node = this.#leaf;
      pending.delete(this.#reference);
    }
  }

  /** The assigned value counts as committed from here on. Its graph is let go. */
  commitAssigned(): void {
    if (this.#assignment === undefined) return;
    const { node } = this.#assignment;
    this.#assignment = undefined;
    pending.delete(this.#reference);
    this.#advance(node.attributes.version);
  }

  /** A run that does not come from an assignment, a replay asked for at `site`, leaves a new version behind. */
  commitReplay(site: CallSite | undefined): void {
    if (site !== undefined) this.#log.noteOverwrite(this.#committed, site);
    this.#advance(++this.#latest);
  }

  /** Forgets the assignment: a trace has recorded it. */
  dropAssignment(): void {
    this.#assignment = undefined;
    if (this.#initial === undefined) {
      pending.delete(this.#reference);
      this.#node = this.#leaf;
    } else {
      this.#node = this.#versionNode([this.#initial], 0);
    }
  }

  /** Gives up a value that cannot be computed: the cell holds nothing valid until it is written again. */
  abandon(error: Error): void {
    const version = this.#node.attributes.version;
    this.#initial = undefined;
    this.#assignment = undefined;
    pending.delete(this.#reference);
    this.#advance(version);
    this.values.writer = RunRecord.failed(error instanceof PoisonedCellError ? error.failure : error);
  }

  /** Calls `watcher` once, when the committed version moves or the cell is disposed. */
  onChange(watcher: () => void): void {
    this.#watchers.push(watcher);
  }

  #changed(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
  }

  #advance(version: number): void {
    this.#changed();
    this.#committed = version;
    this.#leaf = this.#leafNode(version);
    this.#node = this.#leaf;
  }

  /** All committed versions share one id, so that the canonical order of a program does not depend on history. */
  #leafNode(version: number): Node<'cell'> {
    const node = this.#versionNode([], version);
    this.#leafId ??= node.id;
    return { ...node, id: this.#leafId };
  }

  #versionNode(sources: readonly Node[], version: number): Node<'cell'> {
    return rawNode('cell', sources, { cell: this, version }, this.shape, this.dtype);
  }

  #checkAlive(): void {
    if (this.#disposed)
      throw new Error(`${this.path}: is used after dispose(). Read results before the owner is disposed`);
  }

  #checkValue(value: Node): void {
    if (!sameShape(value.shape, this.shape)) {
      throw new Error(
        `${this.path}: assign got shape ${showShape(value.shape)}, the cell has ${showShape(this.shape)}. Reshape the value first`,
      );
    }
    if (value.dtype !== this.dtype) {
      throw new Error(
        `${this.path}: assign got ${value.dtype}, the cell holds ${this.dtype}. Use .cast('${this.dtype}')`,
      );
    }
  }

  #checkLength(values: HostArray): void {
    if (values.length !== this.values.length) {
      throw new Error(
        `${this.path}: got ${values.length} values for shape ${showShape(this.shape)}, which takes ${this.values.length}`,
      );
    }
  }
}

/** The cell behind a node of the graph. */
export function cellOf(node: Node<'cell'>): Cell {
  return node.attributes.cell as Cell;
}
