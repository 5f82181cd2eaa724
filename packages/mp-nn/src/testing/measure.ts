import { type Generator, grad, type Shape, stack, Tensor, where } from '@evenkeel/tensor';
import type { CallableLayer, MagnitudeFunction } from './contract.ts';

/** What is drawn anew for each sample: a layer (or the same one) and its inputs. */
export interface DrawSource {
  readonly inputShapes: readonly Shape[];
  readonly backward: boolean;
  create(generator: Generator): MagnitudeFunction | CallableLayer;
}

/** Elements computed in one go: small draws share a plan's overhead. */
const elementsPerRun = 16_384;
const drawsPerRun = 16;

/** How many draws {@link drawMeanSquares} should be asked for at once. */
export function drawsAtOnce(inputShapes: readonly Shape[]): number {
  const elements = inputShapes.reduce((sum, shape) => sum + shape.reduce((count, size) => count * size, 1), 0);
  return Math.min(drawsPerRun, Math.max(1, Math.floor(elementsPerRun / Math.max(1, elements))));
}

/**
 * White with RMS 1, like a unit normal: input gradients are linear in the output gradient, so their mean squares are the
 * same for both. Signs are cheaper to draw and vary less.
 */
function randomSigns(generator: Generator, shape: Shape): Tensor {
  return where(generator.bits(shape).less(2 ** 31), 1, -1);
}

/**
 * Independent draws, one for each generator, each a fresh layer with fresh white inputs and a fresh white output
 * gradient: the mean squares of the output and, when backward, of the gradient by each input. One row a draw.
 */
export async function drawMeanSquares(source: DrawSource, generators: readonly Generator[]): Promise<number[][]> {
  const layers: (MagnitudeFunction | CallableLayer)[] = [];
  try {
    const rows = generators.map((generator) => {
      const layer = source.create(generator.fork('layer'));
      layers.push(layer);
      const random = generator.fork('data');
      const inputs = source.inputShapes.map((shape): Tensor => random.normal(shape));
      const output = typeof layer === 'function' ? layer(...inputs) : layer.call(...inputs);
      if (!(output instanceof Tensor)) {
        throw new Error(
          `assertPreservesMagnitude: the layer gave ${typeof output}, not a tensor. It must return one, without async`,
        );
      }
      const measured = [output];
      if (source.backward) {
        measured.push(...grad(output.mul(randomSigns(random, output.shape)).sum(), inputs));
      }
      return stack(measured.map((tensor) => tensor.square().mean()));
    });
    const values = await stack(rows).data();
    const columns = source.backward ? source.inputShapes.length + 1 : 1;
    return generators.map((_, row) => Array.from(values.subarray(row * columns, (row + 1) * columns)));
  } finally {
    for (const layer of layers) if (typeof layer !== 'function') layer.dispose?.();
  }
}
