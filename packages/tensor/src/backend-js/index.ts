export {
  createJsBackend,
  type JsBackend,
  type JsBackendOptions,
  type JsBackendStatistics,
} from './backend.ts';
export { compileKernel, printKernel } from './compile-kernel.ts';
export { Pacer } from './pacer.ts';
