export { readSafetensors, type Safetensors, type SafetensorsReadOptions } from './read.ts';
export { writeSafetensors } from './write.ts';
