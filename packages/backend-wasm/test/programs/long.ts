// A plan that takes minutes, told to stop meanwhile. With `handler`, the program's own handler ends it.
import { wasm } from '@evenkeel/backend-wasm';
import { chain, strided } from '../plans.ts';

if (process.argv[2] === 'handler') {
  process.on('SIGINT', () => {
    console.log('stopped');
    process.exit(7);
  });
}
const length = 2 ** 22;
const plan = chain(
  length,
  Array.from({ length: 20_000 }, () => strided(length, 1)),
);
const backend = wasm({ threads: 2 });
const input = backend.allocate({ dtype: 'float32', length });
const executable = await backend.compile({
  ...plan,
  values: plan.values.map((value, i) => (value.role === 'temporary' ? { ...value, slot: i % 2 } : value)),
  slots: [4 * length, 4 * length],
});
const { done } = backend.run(executable, { inputs: [input], arguments: new Float64Array() });
console.log('running');
await done;
console.log('done');
