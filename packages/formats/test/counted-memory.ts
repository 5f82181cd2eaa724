/**
 * Counts what typed arrays take. Importing it, before what is to be counted, puts counting constructors in place of the
 * global ones: libraries that keep a reference to them are counted too.
 */
const names = [
  'Uint8Array',
  'Int8Array',
  'Uint8ClampedArray',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
] as const;

let total = 0;

const globals = globalThis as unknown as Record<string, new (...args: unknown[]) => ArrayBufferView>;
for (const name of names) {
  globals[name] = new Proxy(globals[name]!, {
    construct(target, args: unknown[], newTarget) {
      const claimed =
        typeof args[0] === 'number' ? args[0] * (target as unknown as Uint8ArrayConstructor).BYTES_PER_ELEMENT : 0;
      // Before it is allocated: what would bring the process down is what is looked for.
      if (claimed > 2 ** 31) throw new Error(`counted memory: ${claimed} bytes are asked for at once`);
      const array = Reflect.construct(target, args, newTarget) as ArrayBufferView;
      if (!(args[0] instanceof ArrayBuffer)) total += array.byteLength;
      return array;
    },
  });
}

/** Bytes of typed arrays that `work` made, and what it threw. */
export function countMemory(work: () => void): { readonly bytes: number; readonly error: unknown } {
  const before = total;
  let error: unknown;
  try {
    work();
  } catch (thrown) {
    error = thrown;
  }
  return { bytes: total - before, error };
}
