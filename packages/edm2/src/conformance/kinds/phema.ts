import { profileInnerProducts, solvePostHoc } from '../../ema/post-hoc.ts';
import { type EmaProfile, emaBeta, exponentOfStd, sampledResponse, stdOfExponent } from '../../ema/profile.ts';
import type { CaseRunner, Computed, HostNumbers, ReferenceCase } from '../reference-case.ts';

/** Power-function averages: which of the four sorts a case is, its inputs tell. Always float64. */
export const phema: CaseRunner = (reference) => {
  if (reference.has('in', 'in_ofs')) return postHocWeights(reference);
  if (reference.has('in', 'ofs')) return responses(reference);
  if (reference.has('in', 't_next')) return betas(reference);
  return exponents(reference);
};

async function exponents(reference: ReferenceCase): Promise<Computed> {
  const exponent = (await vector(reference, 'std')).map(exponentOfStd);
  const counted = await reference.numbers('std_of_int_exp', 'out');
  const stds = Float64Array.from(counted.data as Float64Array, (_, k) => stdOfExponent(k));
  return new Map([
    ['out/exp', numbers(exponent)],
    ['out/std_back', numbers(exponent.map(stdOfExponent))],
    ['out/std_of_int_exp', numbers(stds)],
    ['out/exp_of_those', numbers(stds.map(exponentOfStd))],
  ]);
}

async function betas(reference: ReferenceCase): Promise<Computed> {
  const [stds, times, steps] = [
    await vector(reference, 'std'),
    await vector(reference, 't_next'),
    await vector(reference, 't_delta'),
  ];
  const beta = stds.map((std, i) => emaBeta({ std, images: times[i]!, batch: steps[i]! }));
  return new Map([['out/beta', numbers(beta)]]);
}

async function responses(reference: ReferenceCase): Promise<Computed> {
  const profiles = await profilesOf(reference, 'ofs', 'std');
  const length = reference.number('len');
  const columns = profiles.map((profile) => sampledResponse(profile, length));
  const along = reference.number('axis', 0) === 0;
  const [rows, width] = along ? [length, columns.length] : [columns.length, length];
  const data = Float64Array.from({ length: rows * width }, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    return along ? columns[column]![row]! : columns[row]![column]!;
  });
  return new Map([['out/resp', { shape: [rows, width], data }]]);
}

async function postHocWeights(reference: ReferenceCase): Promise<Computed> {
  const snapshots = await profilesOf(reference, 'in_ofs', 'in_std');
  const targets = await profilesOf(reference, 'out_ofs', 'out_std');
  const matrices = {
    A: profileInnerProducts(snapshots, snapshots),
    B: profileInnerProducts(snapshots, targets),
    X: solvePostHoc(snapshots, targets),
  };
  return new Map(
    Object.entries(matrices).map(([name, { rows, columns, data }]) => [
      `out/${name}`,
      { shape: [rows, columns], data },
    ]),
  );
}

async function vector(reference: ReferenceCase, name: string): Promise<Float64Array> {
  return Float64Array.from((await reference.numbers(name)).data as Float64Array);
}

async function profilesOf(reference: ReferenceCase, times: string, stds: string): Promise<EmaProfile[]> {
  const [images, std] = [await vector(reference, times), await vector(reference, stds)];
  return [...images].map((time, i) => ({ images: time, std: std[i]! }));
}

function numbers(data: Float64Array): HostNumbers {
  return { shape: [data.length], data };
}
