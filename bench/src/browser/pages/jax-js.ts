// jax-js on a graphics card.
import { type Jax, jaxJs } from '../../peers/jax.ts';
import { cardPace } from '../../process/timing.ts';
import { openPage } from '../bench-page.ts';
import { deviceOf } from '../page-device.ts';

openPage(async () => {
  const library = '/node_modules/@jax-js/jax/dist/index.js';
  const jax = (await import(library)) as Jax;
  await jax.init();
  jax.defaultDevice('webgpu');
  return { about: { device: await deviceOf('webgpu') }, pace: cardPace, ...jaxJs(jax) };
});
