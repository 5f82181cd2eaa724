import type { Callable, Local, ModuleBuilder } from './encoder.ts';

/**
 * Where threads meet, in bytes from the start: how many have arrived, the number of the meeting, whether to give up, the
 * step of the plan that they are at, and how many have given up.
 */
export const syncWords = { arrived: 0, generation: 4, abort: 8, step: 12, left: 16 } as const;
export const SYNC_BYTES = 64;

/** Turns that a thread looks for the others before it sleeps, where each has a core. */
const SPINS = 20_000;
/** Nanoseconds that it sleeps at most before it looks whether to give up. */
const NAP = 10_000_000n;

/** `(sync, threads)`: returns when all threads have come; traps where the abort word is set. */
export function addBarrier(module: ModuleBuilder, { turns = SPINS }: { turns?: number } = {}): Callable {
  const f = module.function({ parameters: ['i32', 'i32'] });
  const [sync, threads] = f.parameters as [Local, Local];
  const [generation, spins] = [f.local('i32'), f.local('i32')];
  const { arrived, generation: meeting, abort } = syncWords;
  f.get(threads)
    .i32(1)
    .op('i32.eq')
    .if(() => f.op('return'));
  f.get(sync).memory('i32.atomic.load', meeting).set(generation);
  f.get(sync).i32(1).memory('i32.atomic.rmw.add', arrived).get(threads).i32(1).op('i32.sub').op('i32.eq');
  f.if(
    () => {
      f.get(sync).i32(0).memory('i32.atomic.store', arrived);
      f.get(sync).i32(1).memory('i32.atomic.rmw.add', meeting).op('drop');
      f.get(sync).get(threads).memory('memory.atomic.notify', meeting).op('drop');
    },
    () => {
      f.block((done) => {
        f.loop((again) => {
          f.get(sync).memory('i32.atomic.load', meeting).get(generation).op('i32.ne').brIf(done);
          f.get(sync)
            .memory('i32.atomic.load', abort)
            .if(() => f.op('unreachable'));
          f.get(spins).i32(1).op('i32.add').tee(spins).i32(turns).op('i32.gt_s');
          f.if(() => f.get(sync).get(generation).i64(NAP).memory('memory.atomic.wait32', meeting).op('drop'));
          f.br(again);
        });
      });
    },
  );
  return f;
}
