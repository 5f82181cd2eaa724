// Works, then has nothing to do for a while: prints the CPU time of that while in milliseconds. Ends by itself, though
// nothing is disposed of.

import { wasm } from '@evenkeel/backend-wasm';
import { Generator, setBackend } from '@evenkeel/tensor';

setBackend(wasm({ threads: 2 }));
const work = (seed: number): Promise<number> => new Generator(seed).normal([64, 64]).square().mean().item();
await work(1);
// What the engine still compiles in the background is not waiting.
await new Promise((resolve) => setTimeout(resolve, 300));
const before = process.cpuUsage();
await new Promise((resolve) => setTimeout(resolve, 1000));
const { user, system } = process.cpuUsage(before);
console.log((user + system) / 1000);
console.log(await work(2));
