import { Cell } from '../runtime/cell.ts';
import { hostValues } from '../runtime/storage.ts';
import type { DType, HostArray } from '../types/dtype.ts';
import type { Shape } from '../types/shape.ts';
import { checkTensor } from './apply.ts';
import { Tensor } from './tensor.ts';

/**
 * A named tensor that changes: a parameter, an optimizer's moment, a sampler's state. It owns one buffer, freed by
 * `dispose()`. What is assigned is current at once, in the graph; the next realize or commit writes it.
 *
 * @example
 * using count = new State(zeros([]), { path: 'count' });
 * count.assign(count.value.add(1));
 * await commit();
 * await count.value.item(); // 1
 */
export class State<D extends DType = DType> {
  readonly cell: Cell;

  /** @param value the first value; its graph runs with the first plan that needs it. */
  constructor(value: Tensor<D>, { path }: { readonly path?: string } = {}) {
    const { shape, dtype, node } = value;
    this.cell = new Cell({ shape, dtype, value: hostValues(node) ?? node, ...(path === undefined ? {} : { path }) });
  }

  /** The current value, a leaf for `grad`. */
  get value(): Tensor<D> {
    return new Tensor(this.cell.node);
  }

  get shape(): Shape {
    return this.cell.shape;
  }

  get dtype(): D {
    return this.cell.dtype as D;
  }

  /** The name in messages and in `memory()`. */
  get path(): string {
    return this.cell.path;
  }

  set path(path: string) {
    this.cell.path = path;
  }

  /**
   * Makes `value` current.
   *
   * @throws when shape or dtype differ.
   */
  assign(value: Tensor): void {
    checkTensor(`${this.path}: assign`, value);
    this.cell.assign(value.node);
  }

  /** Makes a copy of host `values`, row-major, current. */
  write(values: HostArray<D>): void {
    this.cell.write(values);
  }

  /** Frees the buffer; reading the state afterwards throws. */
  dispose(): void {
    this.cell.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
