import { networkMetadata } from '../../network/network-metadata.ts';
import type { Trainer } from '../../train/trainer.ts';
import { saveSnapshots } from '../ema/snapshot-file.ts';
import type { RunSettings } from './run-settings.ts';

/** Writes all averages of this moment, a file each: what networks are made of, and averages of other lengths. */
export async function writeSnapshots(folder: string, { net, ema }: Trainer, settings: RunSettings): Promise<void> {
  const { encoder, dataset, seed, snapshotDType } = settings;
  const metadata = { ...networkMetadata(net, encoder), dataset: dataset.name, seed: String(seed) };
  await saveSnapshots(ema, folder, { dtype: snapshotDType, metadata });
}
