// The bench's programs by name, as they are built.
import { fileURLToPath } from 'node:url';

const source = (/** @type {string} */ name) => fileURLToPath(new URL(`src/${name}.ts`, import.meta.url));

/** What measures graphics cards takes these alone. */
export const gpuPrograms = {
  bench: source('main'),
  gpu: source('evenkeel/gpu'),
  'gpu-profile': source('evenkeel/gpu-profile'),
  'gpu-copy': source('peers/gpu-copy'),
  tfjs: source('peers/tfjs'),
  'jax-js': source('peers/jax-js'),
};

export const programs = {
  ...gpuPrograms,
  evenkeel: source('evenkeel/main'),
  fresh: source('evenkeel/fresh'),
  chromium: source('browser/chromium'),
  memcpy: source('peers/memcpy'),
  onnxruntime: source('peers/onnxruntime'),
  'js-pytorch': source('peers/js-pytorch'),
};
