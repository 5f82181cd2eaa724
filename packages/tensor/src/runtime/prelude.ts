import type { Node } from '../graph/node.ts';
import type { Backend } from '../kernel/backend.ts';
import type { Program } from '../schedule/canonical.ts';
import { elementCount } from '../types/shape.ts';
import type { CallSite } from './call-site.ts';
import { DeviceValues, heldOn } from './device-values.ts';
import { launch } from './launch.ts';
import { memoryShare, type PreludePart, programOf, type Split } from './prelude-parts.ts';
import { type DeviceStorage, pinnedLeaf } from './storage.ts';

/** Most results kept. */
const capacity = 4096;

/** Results that depend on cells alone, by what they are and the cells' versions; the one used longest ago first. */
const kept = new Map<string, Node<'buffer'>>();

/** Leaves that hold the parts' values: kept ones, and ones that a run, asked for here, computes. */
export function bindPreludes(
  { parts }: Split,
  source: Program,
  backend: Backend,
  site: CallSite | undefined,
): Map<Node, Node> {
  const bindings = new Map<Node, Node>();
  const fresh: { part: PreludePart; values: DeviceValues }[] = [];
  for (const part of parts) {
    const key = keyNow(part);
    let leaf = usable(key);
    if (leaf === undefined) {
      const values = new DeviceValues(
        'preludes',
        `prelude of ${part.cells[0]?.path}`,
        part.root.dtype,
        elementCount(part.root.shape),
      );
      fresh.push({ part, values });
      leaf = pinnedLeaf(values, part.root.shape);
      for (const cell of part.cells) cell.onChange(() => forget(key));
    }
    kept.delete(key);
    kept.set(key, leaf);
    bindings.set(part.leaf, leaf);
  }
  if (fresh.length === 0) return bindings;
  makeRoom(
    backend,
    fresh.reduce((sum, { part }) => sum + part.bytes, 0),
    new Set(bindings.values()),
  );
  const program = programOf(
    fresh.map(({ part }) => part),
    source,
  );
  launch({ backend, program, takers: fresh.map(({ values }) => values), updated: [], site });
  return bindings;
}

/** Parts that a run would have to compute now. */
export function missingParts({ parts }: Split): PreludePart[] {
  return parts.filter((part) => usable(keyNow(part)) === undefined);
}

function keyNow({ key, cells }: PreludePart): string {
  return `${cells.map((cell) => `${cell.id}@${cell.leaf.attributes.version}`).join(',')}|${key}`;
}

function usable(key: string): Node<'buffer'> | undefined {
  const leaf = kept.get(key);
  if (leaf === undefined) return undefined;
  const { disposed, values } = storageOf(leaf);
  return disposed || values.writer?.failure !== undefined ? undefined : leaf;
}

function storageOf(leaf: Node<'buffer'>): DeviceStorage {
  return leaf.attributes.storage as DeviceStorage;
}

function forget(key: string): void {
  const leaf = kept.get(key);
  if (leaf === undefined) return;
  kept.delete(key);
  storageOf(leaf).dispose();
}

/** Lets go of what was used longest ago, but for what this run uses. */
function makeRoom(backend: Backend, bytes: number, used: ReadonlySet<Node>): void {
  const limit = memoryShare * backend.capabilities.memoryBytes;
  for (const [key, leaf] of kept) {
    if (kept.size <= capacity && heldOn(backend).preludes + bytes <= limit) return;
    if (!used.has(leaf)) forget(key);
  }
}
