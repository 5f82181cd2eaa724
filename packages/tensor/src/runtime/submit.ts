import type { Node } from '../graph/node.ts';
import type { Backend } from '../kernel/backend.ts';
import { canonicalize, type Program } from '../schedule/canonical.ts';
import type { HostArray } from '../types/dtype.ts';
import { currentBackend } from './backend.ts';
import { type CallSite, captureCallSite } from './call-site.ts';
import { type Cell, cellOf, pendingCells } from './cell.ts';
import type { DeviceValues } from './device-values.ts';
import type { Taker } from './execution.ts';
import { type Launched, launch } from './launch.ts';
import { bindPreludes, missingParts } from './prelude.ts';
import { type PreludePart, programOf, splitPreludes } from './prelude-parts.ts';
import { noteSharedWork } from './shared-work.ts';
import { hostValues, knownValues } from './storage.ts';

/** A node wanted from a run, and who gets its value. */
export interface Wanted {
  readonly node: Node;
  readonly taker: Taker;
}

/**
 * Asks for one run that computes what is wanted and commits every pending assignment. All assignments count as
 * committed when this returns.
 */
export function submit(wanted: readonly Wanted[]): Launched {
  const backend = currentBackend();
  const site = captureCallSite();
  submitInitials(site);
  const cells = pendingCells().filter((cell) => cell.assigned !== undefined);
  const hostWrites: { to: DeviceValues; values: HostArray }[] = [];
  const updated: Cell[] = [];
  const all = [...wanted];
  for (const cell of cells) {
    const value = cell.assigned as Node;
    const host = hostValues(value);
    if (host !== undefined) hostWrites.push({ to: cell.values, values: host });
    else if (cell.poison !== undefined) all.push({ node: value, taker: cell.values });
    else updated.push(cell);
  }
  const program = canonical(
    all.map(({ node }) => node),
    updated,
    cells,
  );
  noteSharedWork(program);
  const split = splitPreludes(program, new Set(cells), backend);
  const bindings = split && bindPreludes(split, program, backend, site);
  for (const cell of cells) cell.commitAssigned();
  return launch({
    backend,
    program: split?.program ?? program,
    bindings,
    takers: all.map(({ taker }) => taker),
    updated: updated.map((cell) => cell.values),
    hostWrites,
    site,
  });
}

/** Asks for the first values of cells that were given as graphs: a run of its own, so that the first step's plan is every step's. */
export function submitInitials(site: CallSite | undefined): void {
  const cells = pendingCells().filter((cell) => cell.initial !== undefined);
  if (cells.length === 0) return;
  const computed: Cell[] = [];
  const hostWrites: { to: DeviceValues; values: HostArray }[] = [];
  for (const cell of cells) {
    const values = knownValues(cell.initial as Node);
    if (values === undefined) computed.push(cell);
    else hostWrites.push({ to: cell.values, values });
  }
  const program = canonical(
    computed.map((cell) => cell.initial as Node),
    [],
    computed,
  );
  for (const cell of cells) cell.commitInitial();
  launch({
    backend: currentBackend(),
    program,
    takers: computed.map((cell) => cell.values),
    updated: [],
    hostWrites,
    site,
  });
}

/** What reading `nodes` would run now, pending assignments included. */
export function previewRun(nodes: readonly Node[]): {
  readonly backend: Backend;
  /** Computes the parts of the program that depend on cells alone and are not kept from before. */
  readonly prelude: Program | undefined;
  readonly program: Program;
  readonly parts: readonly PreludePart[];
} {
  const backend = currentBackend();
  const cells = pendingCells();
  const fresh = new Set(cells.filter((cell) => cell.initial !== undefined));
  const assigned = cells.filter((cell) => cell.assigned !== undefined);
  const updated = assigned.filter((cell) => hostValues(cell.assigned as Node) === undefined);
  const program = canonicalize({
    outputs: nodes.filter((node) => node.sources.length > 0),
    updates: updated.map((cell) => ({ cell: cell.leaf, value: cell.assigned as Node })),
    isCommitted: committedNow(fresh),
  });
  const split = splitPreludes(program, new Set(assigned), backend);
  if (split === undefined) return { backend, prelude: undefined, program, parts: [] };
  const missing = missingParts(split);
  const prelude = missing.length > 0 ? programOf(missing, program) : undefined;
  return { backend, prelude, program: split.program, parts: split.parts };
}

/**
 * Decides once which versions are in buffers: by the time that a plan is made, later runs may have been asked for.
 *
 * @param fresh cells whose first values a run of their own computes before.
 */
export function committedNow(fresh: ReadonlySet<Cell> = new Set()): (node: Node<'cell'>) => boolean {
  const known = new Map<Node, boolean>();
  return (node) => {
    let committed = known.get(node);
    if (committed === undefined) {
      const cell = cellOf(node);
      committed = fresh.has(cell) ? node.attributes.version === 0 : cell.isCommitted(node);
      known.set(node, committed);
    }
    return committed;
  };
}

/** An assignment that cannot be computed must not stand in the way of all later runs: its cell fails alone. */
function canonical(outputs: readonly Node[], updated: readonly Cell[], cells: readonly Cell[]): Program {
  try {
    return canonicalize({
      outputs,
      updates: updated.map((cell) => ({ cell: cell.leaf, value: cell.assigned as Node })),
      isCommitted: committedNow(),
    });
  } catch (error) {
    for (const cell of cells) {
      try {
        canonicalize({ outputs: [cell.assigned ?? (cell.initial as Node)], updates: [], isCommitted: committedNow() });
      } catch (cause) {
        cell.abandon(cause instanceof Error ? cause : new Error(String(cause)));
      }
    }
    throw error;
  }
}
