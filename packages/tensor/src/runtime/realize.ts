import type { Node } from '../graph/node.ts';
import { isOp } from '../graph/node.ts';
import type { HostArray } from '../types/dtype.ts';
import { elementCount, showShape } from '../types/shape.ts';
import { cellOf } from './cell.ts';
import { DeviceValues } from './device-values.ts';
import type { Launched } from './launch.ts';
import { launches } from './queue.ts';
import { knownValues, pinnedLeaf, pinnedStorage } from './storage.ts';
import { submit, type Wanted } from './submit.ts';
import { refuseInTrace } from './trace.ts';

/** Host copies of results that were committed; they outlive the values they were computed from. */
const staged = new WeakMap<Node, Promise<HostArray>>();

/**
 * Host copies of the values of `nodes`, computed together in one run that also commits all pending assignments.
 * Leaves and committed results cost no run.
 */
export async function readNodes(nodes: readonly Node[]): Promise<HostArray[]> {
  refuseInTrace('data()');
  const { values, launched } = gather(nodes);
  const results = await Promise.all(nodes.map((node) => values.get(node) as Promise<HostArray>));
  await launched?.record.success();
  const given = new Set<HostArray>();
  return results.map((array) => {
    const own = given.has(array) ? (array.slice() as HostArray) : array;
    given.add(own);
    return own;
  });
}

/**
 * Computes `nodes` together and pins the results: leaves that own a device buffer until they are disposed.
 * Nodes that are leaves already come back as they are.
 */
export async function pinNodes(nodes: readonly Node[]): Promise<Node<'buffer'>[]> {
  refuseInTrace('realize()');
  const pinned = new Map<Node, Node<'buffer'>>();
  const wanted: Wanted[] = [];
  const copied: Promise<void>[] = [];
  const current: { node: Node<'cell'>; values: DeviceValues }[] = [];
  for (const node of nodes) {
    if (pinned.has(node)) continue;
    if (isOp(node, 'buffer')) {
      pinnedStorage(node);
      pinned.set(node, node);
      continue;
    }
    const values = new DeviceValues('pinned', `pinned ${showShape(node.shape)}`, node.dtype, elementCount(node.shape));
    pinned.set(node, pinnedLeaf(values, node.shape));
    const before = stagedCopy(node) ?? directRead(node);
    if (before !== undefined) copied.push(before.then((array) => void values.takeHost(array)));
    else if (isOp(node, 'cell') && cellOf(node).version === node.attributes.version) current.push({ node, values });
    else wanted.push({ node, taker: values });
  }
  const launched = wanted.length + current.length > 0 ? submit(wanted) : undefined;
  for (const { node, values } of current) copied.push(readCell(node).then((array) => void values.takeHost(array)));
  await Promise.all(copied);
  await launched?.record.success();
  return nodes.map((node) => pinned.get(node) as Node<'buffer'>);
}

/**
 * Submits all pending assignments together with `nodes`, whose values are kept on the host for later reads. At most two
 * runs are under way; a third waits for the first.
 */
export async function commitNodes(nodes: readonly Node[]): Promise<void> {
  refuseInTrace('commit()');
  const { values, launched } = gather(nodes, true);
  for (const [node, array] of values) if (!isOp(node, 'buffer') && !staged.has(node)) staged.set(node, array);
  await launched?.submitted;
}

/** Host copies of all nodes, with the run that makes them (none, where none is needed and `commit` does not ask for it). */
function gather(
  nodes: readonly Node[],
  commit = false,
): { values: Map<Node, Promise<HostArray>>; launched: Launched | undefined } {
  const values = new Map<Node, Promise<HostArray>>();
  const wanted: Wanted[] = [];
  const current: Node<'cell'>[] = [];
  for (const node of nodes) {
    if (values.has(node) || wanted.some((other) => other.node === node)) continue;
    const known = stagedCopy(node) ?? directRead(node);
    if (known !== undefined) values.set(node, known);
    else if (isOp(node, 'cell') && cellOf(node).version === node.attributes.version) current.push(node);
    else wanted.push({ node, taker: 'host' });
  }
  const launched = commit || wanted.length + current.length > 0 ? submit(wanted) : undefined;
  wanted.forEach(({ node }, i) => {
    values.set(node, launched?.host[i] as Promise<HostArray>);
  });
  for (const node of current) values.set(node, readCell(node));
  for (const array of values.values()) array.catch(() => undefined);
  return { values, launched };
}

function stagedCopy(node: Node): Promise<HostArray> | undefined {
  return staged.get(node)?.then((array) => array.slice() as HostArray);
}

/** The values of a node that some buffer or host array already holds; undefined where a run is needed. */
function directRead(node: Node): Promise<HostArray> | undefined {
  const known = knownValues(node);
  if (known !== undefined) return Promise.resolve(known.slice() as HostArray);
  const storage = pinnedStorage(node);
  if (storage !== undefined) return readOwner(storage.values);
  if (isOp(node, 'cell') && cellOf(node).isCommitted(node)) return readCell(node);
  return undefined;
}

function readCell(node: Node<'cell'>): Promise<HostArray> {
  return readOwner(cellOf(node).values);
}

/** Reads in the order of asking; the writer is the one known now, not one that a later run brings. */
function readOwner(owner: DeviceValues): Promise<HostArray> {
  const { writer } = owner;
  return launches.enqueue(async () => {
    await writer?.success();
    return owner.read();
  });
}
