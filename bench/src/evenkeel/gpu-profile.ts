// Where the time of works goes, kernel by kernel, on a graphics card: `gpu-profile.mjs [works]`.
import { profile } from '@evenkeel/tensor';
import { kindOf } from '../gpu/adapter.ts';
import { nameGpu } from '../gpu/node-gpu.ts';
import { gpuCatalog } from '../work/gpu-catalog.ts';
import { inputValues } from '../work/input-values.ts';
import { gpuImplementation } from './gpu-implementation.ts';

const device = await nameGpu();
const given = process.argv.slice(2);
const usual = /^edm2-(train-step|sampling)/;
const implementation = await gpuImplementation('webgpu', device);
for (const work of gpuCatalog(kindOf(device))) {
  if (given.length > 0 ? !given.includes(work.name) : !usual.test(work.name)) continue;
  const inputs = work.inputs.map((input) => ({ name: input.name, shape: input.shape, values: inputValues(input) }));
  const prepared = await implementation.prepare(work.task, inputs);
  await prepared.run(3);
  process.stdout.write(`${work.name}: ${await profile(() => prepared.run(1))}\n\n`);
  await prepared.dispose();
}
process.exit();
