import type { Contraction } from '@evenkeel/tensor/kernel';
import { scalarType } from '../arithmetic.ts';
import { type EmittedKernel, phaseType } from '../emitted-kernel.ts';
import type { KernelContext } from '../kernel-context.ts';
import type { Group } from './blocking.ts';
import { Site } from './site.ts';

/** Contractions of float64 and whole numbers: one sum after the other. */
export function emitPlainContraction(kernel: Contraction, context: KernelContext): EmittedKernel {
  const f = context.module.function(phaseType);
  const site = new Site(f, kernel, context);
  const { builder, indices } = site;
  const { space } = indices;
  const sizes = [...kernel.batch, ...kernel.m, ...kernel.n, ...kernel.k];
  const results = sizes.slice(0, sizes.length - kernel.k.length);
  const group = (first: number, list: readonly number[]): Group => {
    return { axes: list.map((_, i) => first + i), sizes: list, count: list.reduce((all, size) => all * size, 1) };
  };
  const [outputs, k] = [group(0, results), group(results.length, kernel.k)];
  const type = scalarType(kernel.dtype);
  // A chunk is a run of results.
  const perChunk = Math.max(
    1,
    Math.min(Math.ceil(20_000 / Math.max(1, k.count)), Math.ceil(outputs.count / (4 * context.threads))),
  );
  const chunks = Math.ceil(outputs.count / perChunk);
  const first = space.mul(indices.counter(chunks, site.chunk), perChunk);
  const left = builder.op('i32.sub', builder.i32(outputs.count), indices.value(first));
  const isShort = builder.op('i32.lt_s', left, builder.i32(perChunk));
  const count = builder.select(isShort, left, builder.i32(perChunk));
  site.loop(builder.i32(0), count, perChunk, (number) => {
    const position = site.at(1);
    site.place(position, outputs, () => space.add(first, number));
    const sum = builder.variable(builder.number(type, 0));
    site.loop(builder.i32(0), builder.i32(k.count), k.count, (step) => {
      const here = site.at(1, position);
      site.place(here, k, () => step);
      const expressions = site.expressions(here);
      const product = builder.op(`${type}.mul`, expressions.value(kernel.a), expressions.value(kernel.b));
      builder.assign(sum, builder.op(`${type}.add`, builder.current(sum), product));
    });
    const expressions = site.expressions(position, builder.current(sum));
    const writes = kernel.stores.map((store) => expressions.prepare(store));
    for (const write of writes) write();
  });
  builder.finish();
  return { phases: [{ chunks, run: f }], threadBytes: 0, sharedBytes: 0 };
}
