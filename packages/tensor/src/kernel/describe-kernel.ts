import type { Expr, Kernel } from './ir.ts';

/**
 * `row [32] / [768]: reduce sum, sqrt, div`: what a kernel does, in a line.
 *
 * @example
 * const one: Expr = { kind: 'literal', dtype: 'float32', value: 1 };
 * const stages: Stage[] = [{ kind: 'reduce', op: 'sum', value: one }];
 * const sum: Kernel = { kind: 'row', operands: [], arguments: [], outer: [32], inner: [768], stages };
 * describeKernel(sum); // 'row [32] / [768]: reduce sum'
 */
export function describeKernel(kernel: Kernel): string {
  switch (kernel.kind) {
    case 'row': {
      const over = kernel.inner.length > 0 ? ` / [${kernel.inner.join(', ')}]` : '';
      const stages = kernel.stages.flatMap((stage) => {
        if (stage.kind === 'reduce') return [...operations([stage.value]), `reduce ${stage.op}`];
        if (stage.kind === 'scan') return [...operations([stage.value]), `scan ${stage.op}`];
        return operations([stage.kind === 'store' ? stage.store.value : stage.value]);
      });
      return `row [${kernel.outer.join(', ')}]${over}: ${summary(stages)}`;
    }
    case 'contraction': {
      const sizes = [kernel.batch, kernel.m, kernel.n, kernel.k].map((axes) => axes.reduce((a, b) => a * b, 1));
      const { conv } = kernel;
      const name = conv === undefined ? 'matmul' : `conv ${conv.role} ${conv.kernel.join('x')}`;
      const prologue = [...operations([kernel.a]), ...operations([kernel.b])];
      const epilogue = operations(kernel.stores.map(({ value }) => value));
      const parts = [`${name} b${sizes[0]} m${sizes[1]} n${sizes[2]} k${sizes[3]}`];
      if (prologue.length > 0) parts.push(`of ${summary(prologue)}`);
      if (epilogue.length > 0) parts.push(`then ${summary(epilogue)}`);
      return parts.join(' ');
    }
    case 'scatterAdd':
      return `scatterAdd [${kernel.outer.join(', ')}] of ${kernel.updates} into ${kernel.size}: ${summary(operations([kernel.update]))}`;
    case 'host':
      return `host: ${kernel.name}`;
  }
}

/** `mul x2, add, sqrt`, in order of first use; `copy` where there is no arithmetic. */
function summary(names: readonly string[]): string {
  if (names.length === 0) return 'copy';
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} x${count}`)).join(', ');
}

/** Names of the operations of some expressions, operands first, shared values once. */
function operations(roots: readonly Expr[]): string[] {
  const seen = new Set<Expr>();
  const names: string[] = [];
  const visit = (expr: Expr): void => {
    if (seen.has(expr)) return;
    seen.add(expr);
    switch (expr.kind) {
      case 'unary':
        visit(expr.operand);
        names.push(expr.op);
        break;
      case 'cast':
        visit(expr.operand);
        names.push(`cast ${expr.dtype}`);
        break;
      case 'binary':
      case 'compare':
        visit(expr.left);
        visit(expr.right);
        names.push(expr.op);
        break;
      case 'random':
        for (const operand of [...expr.key, expr.element, expr.stream]) visit(operand);
        names.push('random');
        break;
      case 'where':
        visit(expr.condition);
        visit(expr.then);
        visit(expr.otherwise);
        names.push('where');
        break;
      case 'guard':
        visit(expr.then);
        visit(expr.otherwise);
        break;
      default:
    }
  };
  for (const root of roots) visit(root);
  return names;
}
