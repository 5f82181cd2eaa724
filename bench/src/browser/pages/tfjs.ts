// TensorFlow.js on a graphics card: given `webgpu` or `webgl`.
import { type TensorFlow, tensorFlow } from '../../peers/tensorflow.ts';
import { cardPace } from '../../process/timing.ts';
import { openPage } from '../bench-page.ts';
import { deviceOf } from '../page-device.ts';

openPage(async ([backend]) => {
  const kind = backend === 'webgl' ? 'webgl' : 'webgpu';
  await load('tfjs/dist/tf.min.js');
  if (kind === 'webgpu') await load('tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js');
  const { tf } = globalThis as typeof globalThis & { readonly tf: TensorFlow };
  if (!(await tf.setBackend(kind))) throw new Error(`TensorFlow.js has no ${kind} here`);
  await tf.ready();
  return {
    about: { version: tf.version_core, device: await deviceOf(kind) },
    pace: cardPace,
    ...tensorFlow(tf, { isAtOnce: false }),
  };
});

async function load(file: string): Promise<void> {
  const script = document.createElement('script');
  script.src = `/node_modules/@tensorflow/${file}`;
  const loaded = new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${file} was not found`));
  });
  document.head.append(script);
  await loaded;
}
