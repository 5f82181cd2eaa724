import type { Expr, Kernel, Stage } from '@evenkeel/tensor/kernel';
import { visitExprs } from '@evenkeel/tensor/kernel';

/** True, or why a kernel cannot run here. */
export function supportOf(kernel: Kernel): true | string {
  if (kernel.kind === 'host') return true;
  const dtypes = [...kernel.operands.map(({ dtype }) => dtype), ...kernel.arguments];
  if (dtypes.includes('float64')) return noDoubles;
  let verdict: true | string = true;
  visitExprs(expressionsOf(kernel), ({ dtype }) => {
    if (dtype === 'float64') verdict = noDoubles;
    return undefined;
  });
  return verdict;
}

const noDoubles = 'WebGPU has no float64';

function expressionsOf(kernel: Exclude<Kernel, { kind: 'host' }>): readonly Expr[] {
  switch (kernel.kind) {
    case 'row':
      return kernel.stages.map((stage: Stage) => (stage.kind === 'store' ? stage.store.value : stage.value));
    case 'contraction':
      return [kernel.a, kernel.b, ...kernel.stores.map(({ value }) => value)];
    case 'scatterAdd':
      return [kernel.initial, kernel.update];
  }
}
