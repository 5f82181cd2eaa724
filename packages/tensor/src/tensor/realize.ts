import { commitNodes, pinNodes } from '../runtime/realize.ts';
import type { Tensor } from './tensor.ts';

/**
 * Computes tensors together, their common parts once, and keeps them on the device until each is disposed.
 *
 * @example
 * const x = new Generator(1).normal([1000]);
 * const [mean, std] = [x.mean(), x.std()];
 * await realize(mean, std); // x is drawn once
 * console.log(await mean.item(), await std.item());
 * mean.dispose();
 * std.dispose();
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
 * using weight = new State(tensor([4, 2]), { path: 'weight' });
 * const loss = weight.value.square().sum();
 * weight.assign(weight.value.sub(grad(loss, weight.value).mul(0.25)));
 * await commit(loss); // one plan: the loss, its gradient and the new weight
 * await loss.item(); // 20, of the weight that it was built on
 * await weight.value.array(); // [2, 1]
 */
export async function commit(...tensors: readonly Tensor[]): Promise<void> {
  await commitNodes(tensors.map((tensor) => tensor.node));
}
