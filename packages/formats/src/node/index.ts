export type { ZipEntry } from '../zip.ts';
export { openSafetensors, SafetensorsFile } from './safetensors-file.ts';
export { assertWritable, writeFileAtomically } from './write-file-atomically.ts';
export { ZipFile } from './zip-file.ts';
export { ZipWriter } from './zip-writer.ts';
