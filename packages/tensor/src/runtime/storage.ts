import type { Node, Storage } from '../graph/node.ts';
import { isOp, rawNode } from '../graph/node.ts';
import { type DType, type HostArray, hostArray, hostArrayFrom } from '../types/dtype.ts';
import { elementCount, type Shape, showShape } from '../types/shape.ts';
import { warnOnce } from './development.ts';
import type { DeviceValues } from './device-values.ts';

/** Values that the host holds. They belong to whoever made them; nothing here writes them. */
class HostStorage implements Storage {
  readonly dtype: DType;
  readonly length: number;
  readonly host: HostArray;

  constructor(dtype: DType, host: HostArray) {
    this.dtype = dtype;
    this.length = host.length;
    this.host = host;
  }
}

const dropped = new FinalizationRegistry<DeviceValues>((values) => {
  if (values.backend !== undefined) {
    warnOnce(
      'dropped pinned result',
      `a pinned result of ${values.bytes} bytes was dropped without dispose(). Hold it with \`using\`, or call dispose(): the collector may come late`,
    );
  }
  values.retire();
});

/** A pinned result: owns a device buffer until `dispose()`. */
export class DeviceStorage implements Storage {
  readonly dtype: DType;
  readonly length: number;
  readonly values: DeviceValues;
  #disposed = false;

  constructor(values: DeviceValues) {
    this.dtype = values.dtype;
    this.length = values.length;
    this.values = values;
    dropped.register(this, values, this);
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Frees the buffer once all that was asked for before is done. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    dropped.unregister(this);
    this.values.retire();
  }
}

/** A copy of host values, as the dtype holds them: float16 comes as float32 and is rounded. */
export function storedCopy(dtype: DType, values: HostArray): HostArray {
  return dtype === 'float16' ? hostArrayFrom(dtype, values) : (values.slice() as HostArray);
}

/** A leaf of host values, row-major and as the dtype holds them; the array is held, not copied. */
export function hostLeaf(values: HostArray, shape: Shape, dtype: DType): Node<'buffer'> {
  if (values.length !== elementCount(shape)) {
    throw new Error(`buffer: ${values.length} values do not fill shape ${showShape(shape)}`);
  }
  return rawNode('buffer', [], { storage: new HostStorage(dtype, values) }, shape, dtype);
}

/** A leaf without values of its own: each run binds it to another one. */
export function placeholder({ shape, dtype }: Pick<Node, 'shape' | 'dtype'>): Node<'buffer'> {
  return rawNode('buffer', [], { storage: { dtype, length: elementCount(shape) } }, shape, dtype);
}

/** A leaf that owns the values of `values`, computed or on their way. */
export function pinnedLeaf(values: DeviceValues, shape: Shape): Node<'buffer'> {
  return rawNode('buffer', [], { storage: new DeviceStorage(values) }, shape, values.dtype);
}

/** The host values of a leaf, where it has them. */
export function hostValues(node: Node): HostArray | undefined {
  return isOp(node, 'buffer') ? node.attributes.storage.host : undefined;
}

/** The values of a node that are known without a run: a host leaf's, or one constant in every place. */
export function knownValues(node: Node): HostArray | undefined {
  const host = hostValues(node);
  if (host !== undefined) return host;
  let inner = node;
  while (isOp(inner, 'expand') || isOp(inner, 'reshape')) inner = inner.sources[0] as Node;
  if (!isOp(inner, 'constant')) return undefined;
  return hostArray(inner.dtype, elementCount(node.shape)).fill(inner.attributes.value) as HostArray;
}

/**
 * The pinned storage of a leaf, where it has one.
 *
 * @throws when it was disposed.
 */
export function pinnedStorage(node: Node): DeviceStorage | undefined {
  if (!isOp(node, 'buffer') || !(node.attributes.storage instanceof DeviceStorage)) return undefined;
  const { storage } = node.attributes;
  if (storage.disposed) {
    throw new Error(
      `realize: a pinned result of shape ${showShape(node.shape)} was disposed and is read again. Dispose it after its last use`,
    );
  }
  return storage;
}

/** Frees the buffer of a pinned leaf; nothing for other nodes. */
export function disposeNode(node: Node): void {
  if (isOp(node, 'buffer') && node.attributes.storage instanceof DeviceStorage) node.attributes.storage.dispose();
}
