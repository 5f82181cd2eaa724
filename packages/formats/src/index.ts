export type { ArrayDType, TypedArray } from './dtype.ts';
export { decodeBfloat16, decodeFloat16, encodeFloat16, float16Bits, float16Value } from './float16.ts';
export type { HostArray, HostArrayOptions } from './host-array.ts';
export { type NpyReadOptions, type NpzWriteOptions, readNpy, readNpz, writeNpy, writeNpz } from './numpy/index.ts';
export {
  type PickleConstructor,
  PickleGlobal,
  type PickleKey,
  PickleObject,
  type PickleReadOptions,
  readPickle,
} from './pickle/index.ts';
export { decodePng, encodePng, type PngReadOptions, type PngWriteOptions, type RasterImage } from './png.ts';
export {
  readSafetensors,
  type Safetensors,
  type SafetensorsReadOptions,
  writeSafetensors,
} from './safetensors/index.ts';
export { readTorch, type TorchDType, type TorchReadOptions, TorchTensor, torchConstructors } from './torch/index.ts';
