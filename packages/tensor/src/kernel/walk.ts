import type { Expr } from './ir.ts';

/**
 * The expressions that an expression is made of, one level down.
 *
 * @example
 * const one: Expr = { kind: 'literal', dtype: 'float32', value: 1 };
 * operandsOf({ kind: 'unary', dtype: 'float32', op: 'neg', operand: one }); // [{ kind: 'literal', value: 1 }]
 */
export function operandsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'unary':
    case 'cast':
      return [expr.operand];
    case 'binary':
    case 'compare':
      return [expr.left, expr.right];
    case 'random':
      return [...expr.key, expr.element, expr.stream];
    case 'where':
      return [expr.condition, expr.then, expr.otherwise];
    case 'guard':
      return [expr.then, expr.otherwise];
    default:
      return none;
  }
}

const none: readonly Expr[] = [];

/**
 * The same expression over other operands.
 *
 * @example
 * const one: Expr = { kind: 'literal', dtype: 'float32', value: 1 };
 * const negated: Expr = { kind: 'unary', dtype: 'float32', op: 'neg', operand: one };
 * mapOperands(negated, () => ({ ...one, value: 2 })); // { op: 'neg', operand: { value: 2 } }
 */
export function mapOperands(expr: Expr, change: (operand: Expr) => Expr): Expr {
  switch (expr.kind) {
    case 'unary':
    case 'cast':
      return { ...expr, operand: change(expr.operand) };
    case 'random': {
      const key = [change(expr.key[0]), change(expr.key[1])] as const;
      return { ...expr, key, element: change(expr.element), stream: change(expr.stream) };
    }
    case 'binary':
    case 'compare':
      return { ...expr, left: change(expr.left), right: change(expr.right) };
    case 'where':
      return { ...expr, condition: change(expr.condition), then: change(expr.then), otherwise: change(expr.otherwise) };
    case 'guard':
      return { ...expr, then: change(expr.then), otherwise: change(expr.otherwise) };
    default:
      return expr;
  }
}

/**
 * Visits everything that `roots` are made of, an expression before its operands, shared ones once. `visit` may give further
 * expressions to walk, after its own operands.
 *
 * @example
 * const one: Expr = { kind: 'literal', dtype: 'float32', value: 1 };
 * const kinds: string[] = [];
 * visitExprs([{ kind: 'binary', dtype: 'float32', op: 'add', left: one, right: one }], ({ kind }) => {
 *   kinds.push(kind);
 *   return undefined;
 * });
 * kinds; // ['binary', 'literal']
 */
export function visitExprs(roots: readonly Expr[], visit: (expr: Expr) => readonly Expr[] | undefined): void {
  const seen = new Set<Expr>();
  const stack: Expr[] = [];
  const add = (list: readonly Expr[]): void => {
    for (let i = list.length - 1; i >= 0; i--) stack.push(list[i] as Expr);
  };
  add(roots);
  for (let expr = stack.pop(); expr; expr = stack.pop()) {
    if (seen.has(expr)) continue;
    seen.add(expr);
    const further = visit(expr);
    if (further) add(further);
    add(operandsOf(expr));
  }
}
