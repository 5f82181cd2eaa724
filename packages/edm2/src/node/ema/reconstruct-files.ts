import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { fitPostHoc, type PostHocFit } from '../../ema/fit.ts';
import { reconstruct } from '../../ema/reconstruct.ts';
import { type EncodeSnapshotOptions, encodeSnapshot, snapshotName } from '../../ema/snapshot.ts';
import type { SelectedSnapshots } from './select-snapshots.ts';

/** Options of {@link planReconstruction}. */
export interface ReconstructionOptions {
  /** Where results go. */
  readonly folder: string;
  /** Lengths to be made. */
  readonly stds: readonly number[];
  /** What names of results start with. @defaultValue 'phema' */
  readonly prefix?: string;
}

/** One file to be made. */
export interface PlannedReconstruction {
  readonly path: string;
  readonly fit: PostHocFit;
  /** Whether there is a file of that name already. */
  readonly exists: boolean;
}

/**
 * What is to be made of a training's snapshots, and how well they make it; reads and writes nothing.
 *
 * @throws RangeError when a length is out of range.
 * @example
 * ```ts
 * const ema = new PowerFunctionEma(new Linear(2, 1));
 * for (const images of [1024, 2048]) {
 *   ema.update(images);
 *   await saveSnapshots(ema, 'out/plan');
 * }
 * const [planned] = planReconstruction(await selectSnapshots('out/plan'), { folder: 'out/plan', stds: [0.07] });
 * planned?.path; // 'out/plan/phema-0000002-0.070.safetensors'
 * ```
 */
export function planReconstruction(
  { snapshots, images }: SelectedSnapshots,
  { folder, stds, prefix = 'phema' }: ReconstructionOptions,
): PlannedReconstruction[] {
  return stds.map((std) => {
    const path = join(folder, snapshotName({ images, std }, prefix));
    return { path, fit: fitPostHoc(snapshots, { images, std }), exists: existsSync(path) };
  });
}

/** Options of {@link writeReconstructions}. */
export interface WriteReconstructionsOptions extends EncodeSnapshotOptions {
  /** Lengths made in one pass over the snapshots: memory holds so many models. @defaultValue 8 */
  readonly batch?: number;
  /** Told of each snapshot before it is read: how many reads are done, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Told of each file when it is whole. */
  readonly onFile?: (path: string) => void;
  /** Stops before the next snapshot is read. */
  readonly signal?: AbortSignal;
}

/**
 * Makes the planned averages. Each file appears whole or not at all; values are stored as float16 unless told.
 *
 * @throws what `reconstruct` throws, naming the snapshot; when a file cannot be written; the signal's reason.
 * @example
 * ```ts
 * const ema = new PowerFunctionEma(new Linear(2, 1));
 * for (const images of [1024, 2048]) {
 *   ema.update(images);
 *   await saveSnapshots(ema, 'out/write');
 * }
 * const selected = await selectSnapshots('out/write');
 * const planned = planReconstruction(selected, { folder: 'out/write', stds: [0.06, 0.07] });
 * await writeReconstructions(selected, planned);
 * (await openSnapshot('out/write/phema-0000002-0.070.safetensors')).std; // 0.07
 * ```
 */
export async function writeReconstructions(
  { snapshots }: SelectedSnapshots,
  planned: readonly PlannedReconstruction[],
  options: WriteReconstructionsOptions = {},
): Promise<void> {
  const { batch = 8, dtype = 'float16', onProgress, onFile, signal } = options;
  const passes = Math.ceil(planned.length / batch);
  const newest = snapshots.reduce((best, one) => (one.images >= best.images ? one : best));
  if (planned.length === 0) return;
  const { copied, metadata } = await newest.describe();
  for (let pass = 0; pass < passes; pass++) {
    const group = planned.slice(pass * batch, (pass + 1) * batch);
    const made = await reconstruct(
      snapshots,
      group.map(({ fit }) => ({ images: fit.images, std: fit.std })),
      {
        copied,
        onSnapshot(index) {
          signal?.throwIfAborted();
          onProgress?.(pass * snapshots.length + index, passes * snapshots.length);
        },
        onWarning() {}, // the plan has told
      },
    );
    for (const [i, { path, fit }] of group.entries()) {
      const { images, std } = fit;
      // Let go of before the next is encoded.
      const values = made[i] as NonNullable<(typeof made)[number]>;
      await writeFileAtomically(path, encodeSnapshot({ images, std, values, copied, metadata }, { dtype }));
      values.clear();
      onFile?.(path);
    }
  }
}
