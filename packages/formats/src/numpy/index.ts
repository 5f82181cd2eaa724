export { type NpyReadOptions, readNpy, writeNpy } from './npy.ts';
export { type NpzWriteOptions, readNpz, writeNpz } from './npz.ts';
