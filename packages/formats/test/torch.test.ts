import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { readPickle, readTorch, type TorchTensor, torchConstructors } from '../src/index.ts';
import {
  blob,
  bytesOf,
  call,
  dict,
  legacyFile,
  pickle,
  type StorageBytes,
  storageReference,
  tensorOf,
  text,
  tuple,
} from './pickle-bytes.ts';

const bytesIn = (array: { buffer: ArrayBufferLike }) => new Uint8Array(array.buffer);
const floats: StorageBytes = {
  type: 'FloatStorage',
  key: '7',
  count: 6,
  bytes: bytesIn(Float32Array.of(0, 1, 2, 3, 4, 5)),
};
const halves: StorageBytes = {
  type: 'HalfStorage',
  key: '12',
  count: 2,
  bytes: bytesIn(Uint16Array.of(0x3c00, 0x3555)),
};
const matrix = { shape: [2, 3], strides: [3, 1] };

/** The file of `torch.save` since 1.6. */
function archive(
  value: Uint8Array,
  storages: readonly StorageBytes[],
  more: Record<string, Uint8Array> = {},
): Uint8Array {
  const data = Object.fromEntries(storages.map(({ key, bytes }) => [`net/data/${key}`, bytes]));
  return zipSync({ 'net/data.pkl': pickle(value), ...data, ...more }, { level: 0 });
}

const refusal = (read: () => unknown): string => {
  try {
    read();
    return 'read it';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('tensors', () => {
  const value = dict(
    text('weight'),
    tensorOf(storageReference(floats), matrix),
    text('gain'),
    call(
      'torch._utils',
      '_rebuild_parameter',
      tensorOf(storageReference(halves), { offset: 1, shape: [], strides: [] }),
      '\x88',
      call('collections', 'OrderedDict'),
    ),
    text('transposed'),
    tensorOf(storageReference(floats), { shape: [3, 2], strides: [1, 3] }),
    text('column'),
    tensorOf(storageReference(floats), { offset: 2, shape: [2, 1], strides: [3, 9] }),
    text('none'),
    tensorOf(storageReference(floats), { offset: 6, shape: [0, 4], strides: [4, 1] }),
  );

  test.each([
    ['before 1.6', legacyFile([value], [halves, floats])],
    ['since 1.6', archive(value, [floats, halves], { 'net/byteorder': new TextEncoder().encode('little') })],
  ])('of files of PyTorch %s', (_, bytes) => {
    const arrays = new Map(
      [...(readTorch(bytes) as Map<string, TorchTensor>)].map(([name, tensor]) => [name, tensor.hostArray()]),
    );
    expect(arrays.get('weight')).toEqual({ dtype: 'float32', shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) });
    expect(arrays.get('gain')).toEqual({ dtype: 'float16', shape: [], data: Float32Array.of(0.333251953125) });
    expect(arrays.get('transposed')).toEqual({
      dtype: 'float32',
      shape: [3, 2],
      data: Float32Array.of(0, 3, 1, 4, 2, 5),
    });
    expect(arrays.get('column')).toEqual({ dtype: 'float32', shape: [2, 1], data: Float32Array.of(2, 5) });
    expect(arrays.get('none')).toEqual({ dtype: 'float32', shape: [0, 4], data: new Float32Array() });
  });

  test('of every element type', () => {
    const types = [
      ['DoubleStorage', 'float64', Float64Array.of(1.5)],
      ['LongStorage', 'int64', BigInt64Array.of(-3n)],
      ['IntStorage', 'int32', Int32Array.of(-3)],
      ['ShortStorage', 'int16', Int16Array.of(-3)],
      ['CharStorage', 'int8', Int8Array.of(-3)],
      ['ByteStorage', 'uint8', Uint8Array.of(200)],
      ['BoolStorage', 'bool', Uint8Array.of(1)],
    ] as const;
    for (const [type, dtype, data] of types) {
      const storage: StorageBytes = { type, key: 'a', count: 1, bytes: bytesIn(data) };
      const tensor = readTorch(
        legacyFile([tensorOf(storageReference(storage), { shape: [1], strides: [1] })], [storage]),
      );
      expect((tensor as TorchTensor).hostArray()).toEqual({ dtype, shape: [1], data });
    }
    const brain: StorageBytes = {
      type: 'BFloat16Storage',
      key: 'b',
      count: 2,
      bytes: bytesIn(Uint16Array.of(0x3f80, 0xc000)),
    };
    const tensor = readTorch(legacyFile([tensorOf(storageReference(brain), { shape: [2], strides: [1] })], [brain]));
    expect((tensor as TorchTensor).hostArray()).toEqual({ dtype: 'float32', shape: [2], data: Float32Array.of(1, -2) });
  });

  test('of storages inside a pickle', () => {
    const bytes = legacyFile([storageReference(floats)], [floats]);
    const tensor = readPickle(pickle(tensorOf(call('torch.storage', '_load_from_bytes', blob(bytes)), matrix)), {
      construct: torchConstructors(),
    });
    expect((tensor as TorchTensor).hostArray().data).toEqual(Float32Array.of(0, 1, 2, 3, 4, 5));
  });
});

describe('is refused in one line', () => {
  const whole = legacyFile([tensorOf(storageReference(floats), matrix)], [floats]);

  test('a file that is cut off at any byte, or has more', () => {
    for (let length = 0; length < whole.length; length++) {
      const message = refusal(() => readTorch(whole.subarray(0, length), { file: 'cut.pt' }));
      expect(message).toMatch(/^readTorch cut\.pt: .*cut off/);
      expect(message).not.toContain('\n');
    }
    expect(refusal(() => readTorch(bytesOf(whole, 'x')))).toBe('readTorch: 1 bytes belong to no storage');
    const zipped = archive(tensorOf(storageReference(floats), matrix), [floats]);
    for (let length = 4; length < zipped.length; length += 3) {
      expect(refusal(() => readTorch(zipped.subarray(0, length), { file: 'cut.pt' }))).toMatch(
        /^readTorch cut\.pt: .*cut off/,
      );
    }
  });

  test.each([
    ['past its end', { shape: [2, 3], strides: [4, 1] }, /passes the end of its storage of 6 elements/],
    ['past its end by the offset', { offset: 1, shape: [2, 3], strides: [3, 1] }, /passes the end/],
    ['larger than it', { shape: [1000, 1000, 1000], strides: [0, 0, 0] }, /repeats a storage of 6 elements/],
    ['of other axes', { shape: [2, 3], strides: [1] }, /not sizes that fit together/],
    ['backwards', { shape: [2], strides: [-1] }, /not sizes that fit together/],
    [
      'too large to count',
      { shape: Array(8).fill(2 ** 30), strides: Array(8).fill(0) },
      /more elements than can be counted/,
    ],
  ])('a tensor that looks at its storage %s', (_, view, message) => {
    expect(refusal(() => readTorch(legacyFile([tensorOf(storageReference(floats), view)], [floats])))).toMatch(message);
  });

  test('storages that are missing, of another size, named twice or of unknown type', () => {
    const tensor = tensorOf(storageReference(floats), matrix);
    expect(refusal(() => readTorch(legacyFile([tensor], [])))).toBe('readTorch: storage 7 has no elements');
    expect(refusal(() => readTorch(legacyFile([tensor], [halves])))).toBe(
      'readTorch: lists storages that belong to nothing',
    );
    expect(refusal(() => readTorch(legacyFile([tensor], [floats, floats])))).toMatch(
      /lists storages that belong to nothing/,
    );
    expect(refusal(() => readTorch(archive(tensor, [{ ...floats, bytes: new Uint8Array(20) }])))).toMatch(
      /of another size/,
    );
    const claim = { ...floats, count: 2 ** 30 };
    expect(refusal(() => readTorch(legacyFile([storageReference(claim)], [claim])))).toMatch(
      /cut off or of another size/,
    );
    const twice = tuple(storageReference(floats), storageReference({ ...floats, count: 5 }));
    expect(refusal(() => readTorch(legacyFile([twice], [floats])))).toMatch(/named with two types or sizes/);
    const oddly = { ...floats, key: 'a\nb' };
    expect(refusal(() => readTorch(legacyFile([storageReference(oddly)], [oddly])))).toMatch(
      /does not name a storage$/,
    );
    const unknown = { ...floats, type: 'ComplexStorage' };
    expect(refusal(() => readTorch(legacyFile([storageReference(unknown)], [unknown])))).toMatch(
      /names torch\.ComplexStorage, which is not among what may be built/,
    );
  });

  test('files of others', () => {
    expect(refusal(() => readTorch(pickle('N')))).toBe('readTorch: does not start as files of PyTorch do');
    expect(refusal(() => readTorch(zipSync({ 'a.txt': new Uint8Array(3) })))).toMatch(/not one that torch\.save wrote/);
    const big = archive(tensorOf(storageReference(floats), matrix), [floats], {
      'net/byteorder': new TextEncoder().encode('big'),
    });
    expect(refusal(() => readTorch(big))).toMatch(/lowest byte first/);
    expect(refusal(() => readTorch(legacyFile([call('os', 'system', text('ls'))], [])))).toMatch(/names os\.system/);
  });
});
