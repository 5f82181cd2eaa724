import { join } from 'node:path';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { encodeSnapshot, snapshotName } from '../../ema/snapshot.ts';
import { type EncoderName, networkMetadata } from '../../network/network-metadata.ts';
import type { Trainer } from '../../train/trainer.ts';

/** What belongs to every snapshot of a run. */
export interface SnapshotNotes {
  readonly encoder: EncoderName;
  /** Name of the data set. */
  readonly dataset: string;
  readonly seed: number;
  readonly dtype: 'float16' | 'float32';
}

/** Writes all averages of this moment, a file each: what networks are made of, and post-hoc averages. */
export async function writeSnapshots(folder: string, trainer: Trainer, notes: SnapshotNotes): Promise<void> {
  const { net, ema, images } = trainer;
  const copied = [...net.namedBuffers().keys()];
  const metadata = {
    ...networkMetadata(net, notes.encoder),
    dataset: notes.dataset,
    seed: String(notes.seed),
  };
  for (const std of ema.stds) {
    const snapshot = { images, std, values: await ema.snapshot(std), copied, metadata };
    await writeFileAtomically(join(folder, snapshotName(snapshot)), encodeSnapshot(snapshot, { dtype: notes.dtype }));
  }
}
