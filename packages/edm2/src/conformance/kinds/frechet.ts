import { frechetDistance } from '../../metrics/distances/frechet-distance.ts';
import { type FeatureStatistics, RunningStatistics } from '../../metrics/feature-statistics.ts';
import type { CaseRunner, HostNumbers, ReferenceCase } from '../reference-case.ts';

/** Mean, covariance and distance of two sets of features. Always float64. */
export const frechet: CaseRunner = async (reference) => {
  const [first, second] = [await statisticsOf(reference, 'f1'), await statisticsOf(reference, 'f2')];
  return new Map([
    ['out/mu1', vector(first.mean)],
    ['out/sigma1', square(first.covariance)],
    ['out/mu2', vector(second.mean)],
    ['out/sigma2', square(second.covariance)],
    ['out/fd', { shape: [], data: [frechetDistance(first, second)] }],
  ]);
};

async function statisticsOf(reference: ReferenceCase, name: string): Promise<FeatureStatistics> {
  const { shape, data } = await reference.numbers(name);
  const [, featureDim] = shape;
  if (shape.length !== 2 || featureDim === undefined) throw new Error(`in/${name} has shape [${shape}], needs [N, D]`);
  const statistics = new RunningStatistics(featureDim);
  statistics.add(data as Float32Array);
  return statistics.result();
}

function vector(data: Float64Array): HostNumbers {
  return { shape: [data.length], data };
}

function square(data: Float64Array): HostNumbers {
  const side = Math.sqrt(data.length);
  return { shape: [side, side], data };
}
