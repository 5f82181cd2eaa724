import { commitNodes, pinNodes } from '../runtime/realize.ts';
import type { Tensor } from './tensor.ts';

/**
 * Computes tensors together, their common parts once, and keeps them on the device until each is disposed.
 *
 * @example
 * await realize(loss, accuracy);
 */
export async function realize(...tensors: readonly Tensor[]): Promise<void> {
  const leaves = await pinNodes(tensors.map((tensor) => tensor.node));
  leaves.forEach((leaf, i) => {
    tensors[i]?.settle(leaf);
  });
}

/**
 * Submits all pending assignments in one plan, together with `tensors`, whose values are staged: reading them
 * afterwards is cheap and never stale. Resolves when the work is handed over; at most two steps are under way.
 *
 * @example
 * optimizer.step(loss);
 * await commit(loss);
 * console.log(await loss.item());
 */
export async function commit(...tensors: readonly Tensor[]): Promise<void> {
  await commitNodes(tensors.map((tensor) => tensor.node));
}
