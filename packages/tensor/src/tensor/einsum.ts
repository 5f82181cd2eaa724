import { isFloat } from '../types/dtype.ts';
import { elementCount, showShape } from '../types/shape.ts';
import { broadcast, checkDTypes, reshaped } from './apply.ts';
import { crop, permute } from './movement.ts';
import type { Tensor } from './tensor.ts';

/** A tensor whose axes have names. */
interface Named {
  readonly tensor: Tensor;
  readonly labels: readonly string[];
}

/**
 * Sums of products over named axes: `'bik,bkj->bij'` multiplies matrices in a batch. Letters that the output leaves out
 * are summed; a letter twice in one operand takes the diagonal; `...` stands for any further axes, which broadcast.
 * Without `->` the output has the letters that occur once, in alphabetical order. Pairs multiply from left to right.
 *
 * @throws when the letters do not fit the operands' shapes.
 * @example
 * const x = zeros([8, 3, 16, 16]);
 * einsum('nchw,oc->nohw', x, zeros([32, 3])); // [8, 32, 16, 16], a 1x1 convolution
 */
export function einsum(spec: string, ...operands: readonly Tensor[]): Tensor {
  checkDTypes('einsum', operands);
  const { inputs, output } = parse(spec, operands);
  const sizes = labelSizes(spec, inputs);
  const named = inputs.map((input) => withoutRepeats(withoutBroadcast(input, sizes)));
  let result = named[0] as Named;
  if (named.length === 1) result = sumOut(result, (label) => output.includes(label));
  named.slice(1).forEach((next, index) => {
    const later = named.slice(index + 2);
    const kept = (label: string) => output.includes(label) || later.some(({ labels }) => labels.includes(label));
    result = contract(result, next, kept);
  });
  const missing = output.find((label) => !result.labels.includes(label));
  if (missing) return arrange(spread(result, output, sizes), output);
  return arrange(result, output);
}

function fail(spec: string, message: string): never {
  throw new Error(`einsum: '${spec}' ${message}`);
}

function parse(spec: string, operands: readonly Tensor[]): { inputs: Named[]; output: string[] } {
  const [left = '', right, ...more] = spec.replaceAll(' ', '').split('->');
  const terms = left.split(',');
  if (more.length > 0) fail(spec, "has more than one '->'");
  if (terms.length !== operands.length) fail(spec, `names ${terms.length} operands, got ${operands.length}`);
  const inputs = operands.map((tensor, i) => ({ tensor, labels: lettersOf(spec, terms[i] as string, tensor) }));
  const all = inputs.flatMap(({ labels }) => labels);
  const hidden = [...new Set(all.filter((label) => label.length > 1))].sort();
  if (right === undefined) {
    const once = all.filter((label) => label.length === 1 && all.indexOf(label) === all.lastIndexOf(label));
    return { inputs, output: [...hidden, ...once.sort()] };
  }
  const output = right.split('...').flatMap((part, index) => [...(index > 0 ? hidden : []), ...part]);
  const unknown = output.find((label) => !all.includes(label));
  if (unknown) fail(spec, `has '${unknown}' in its output and in no operand`);
  if (new Set(output).size < output.length) fail(spec, 'repeats a letter in its output');
  return { inputs, output };
}

/** Names of an operand's axes. Those under `...` are called by their distance from its end, `...99` the last. */
function lettersOf(spec: string, term: string, tensor: Tensor): string[] {
  const [before = '', after, ...more] = term.split('...');
  if (more.length > 0) fail(spec, `repeats '...' in '${term}'`);
  const letters = [...before, ...(after ?? '')];
  if (letters.some((letter) => !/[A-Za-z]/.test(letter))) fail(spec, `has a name that is not a letter in '${term}'`);
  const hidden = tensor.rank - letters.length;
  if (hidden < 0 || (hidden > 0 && after === undefined)) {
    fail(spec, `names ${letters.length} axes in '${term}', the operand is ${showShape(tensor.shape)}`);
  }
  const ellipsis = Array.from({ length: hidden }, (_, axis) => `...${100 - hidden + axis}`);
  return [...before, ...ellipsis, ...(after ?? '')];
}

function labelSizes(spec: string, inputs: readonly Named[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { tensor, labels } of inputs) {
    labels.forEach((label, axis) => {
      const size = tensor.shape[axis] as number;
      const known = sizes.get(label) ?? 1;
      if (known !== 1 && size !== 1 && known !== size) {
        const shapes = inputs.map((input) => showShape(input.tensor.shape)).join(', ');
        fail(spec, `has sizes ${known} and ${size} for '${label}', operands ${shapes}`);
      }
      sizes.set(label, known === 1 ? size : known);
    });
  }
  return sizes;
}

/** Drops axes of size 1 that other operands repeat. */
function withoutBroadcast({ tensor, labels }: Named, sizes: ReadonlyMap<string, number>): Named {
  const real = (axis: number) => tensor.shape[axis] === sizes.get(labels[axis] as string);
  return {
    tensor: reshaped(
      tensor,
      tensor.shape.filter((_, axis) => real(axis)),
    ),
    labels: labels.filter((_, axis) => real(axis)),
  };
}

/** Takes the diagonal of axes that share a name. */
function withoutRepeats(named: Named): Named {
  const { tensor, labels } = named;
  const second = labels.findIndex((label, axis) => labels.indexOf(label) < axis);
  if (second < 0) return named;
  const first = labels.indexOf(labels[second] as string);
  const others = labels.map((_, axis) => axis).filter((axis) => axis !== first && axis !== second);
  const size = tensor.shape[first] as number;
  const rest = others.map((axis) => tensor.shape[axis] as number);
  const square = reshaped(permute(tensor, [...others, first, second]), [...rest, size * size]);
  const diagonal = crop(square, rest.length, 0, size, size + 1);
  return withoutRepeats({
    tensor: diagonal,
    labels: [...others.map((axis) => labels[axis] as string), labels[first] as string],
  });
}

function sumOut({ tensor, labels }: Named, kept: (label: string) => boolean): Named {
  const axes = labels.flatMap((label, axis) => (kept(label) ? [] : [axis]));
  return axes.length === 0 ? { tensor, labels } : { tensor: tensor.sum(axes), labels: labels.filter(kept) };
}

function contract(left: Named, right: Named, kept: (label: string) => boolean): Named {
  const a = sumOut(left, (label) => kept(label) || right.labels.includes(label));
  const b = sumOut(right, (label) => kept(label) || left.labels.includes(label));
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter(kept);
  const summed = shared.filter((label) => !kept(label));
  const rows = a.labels.filter((label) => !shared.includes(label));
  const columns = b.labels.filter((label) => !shared.includes(label));
  const labels = [...batch, ...rows, ...columns];
  if (summed.length === 0 || !isFloat(a.tensor.dtype)) {
    const all = [...labels, ...summed];
    const product = axesOf(a, all).mul(axesOf(b, all));
    return sumOut({ tensor: product, labels: all }, kept);
  }
  const product = grouped(a, [batch, rows, summed]).matmul(grouped(b, [batch, summed, columns]));
  const sizes = [...batch, ...rows].map((label) => sizeOf(a, label)).concat(columns.map((label) => sizeOf(b, label)));
  return { tensor: reshaped(product, sizes), labels };
}

function sizeOf({ tensor, labels }: Named, label: string): number {
  return tensor.shape[labels.indexOf(label)] as number;
}

/** Axes in the order of `all`, size 1 where the tensor has none of that name. */
function axesOf(named: Named, all: readonly string[]): Tensor {
  const own = all.filter((label) => named.labels.includes(label));
  const shape = all.map((label) => (named.labels.includes(label) ? sizeOf(named, label) : 1));
  return reshaped(arrange(named, own), shape);
}

/** Each group of names as one axis. */
function grouped(named: Named, groups: readonly (readonly string[])[]): Tensor {
  const shape = groups.map((group) => elementCount(group.map((label) => sizeOf(named, label))));
  return reshaped(arrange(named, groups.flat()), shape);
}

function arrange({ tensor, labels }: Named, order: readonly string[]): Tensor {
  return permute(
    tensor,
    order.map((label) => labels.indexOf(label)),
  );
}

/** Gives a result the output axes that every operand held with size 1 only. */
function spread({ tensor, labels }: Named, output: readonly string[], sizes: ReadonlyMap<string, number>): Named {
  const missing = output.filter((label) => !labels.includes(label));
  const shape = [...missing.map((label) => sizes.get(label) as number), ...tensor.shape];
  return { tensor: broadcast(tensor, shape), labels: [...missing, ...labels] };
}
