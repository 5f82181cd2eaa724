import type { CaseRunner } from '../reference-case.ts';
import { block } from './block.ts';
import { datasetTransform, datasetZip } from './dataset.ts';
import { edm2loss } from './edm2loss.ts';
import { encoder } from './encoder.ts';
import { fp16 } from './fp16.ts';
import { frechet } from './frechet.ts';
import { mpFourier } from './mp-fourier.ts';
import { mpconv } from './mpconv.ts';
import { phema } from './phema.ts';
import { precond } from './precond.ts';
import { primitive } from './primitive.ts';
import { resize } from './resize.ts';
import { sampler } from './sampler.ts';
import { snapshot } from './snapshot.ts';
import { toyGt, toyModel } from './toy.ts';
import { train } from './train.ts';

/** How the cases of each kind are run. */
export const caseRunners: ReadonlyMap<string, CaseRunner> = new Map(
  Object.entries({
    primitive,
    mpconv,
    mp_fourier: mpFourier,
    block,
    precond,
    edm2loss,
    train,
    phema,
    sampler,
    fp16,
    encoder,
    dataset_transform: datasetTransform,
    dataset_zip: datasetZip,
    toy_gt: toyGt,
    toy_model: toyModel,
    frechet,
    resize,
    snapshot,
  }),
);
