// A plan that takes minutes, told to stop meanwhile. With `handler`, the program's own handler ends it.
import { wasm } from '@evenkeel/backend-wasm';
import { chain, inPlaces, strided } from '../plans.ts';

if (process.argv[2] === 'handler') {
  process.on('SIGINT', () => {
    console.log('stopped');
    process.exit(7);
  });
}
const length = 2 ** 22;
const backend = wasm({ threads: 2 });
const input = backend.allocate({ dtype: 'float32', length });
const executable = await backend.compile(inPlaces(chain(length, new Array(20_000).fill(strided(length, 1)))));
const { done } = backend.run(executable, { inputs: [input], arguments: new Float64Array() });
console.log('running');
await done;
console.log('done');
