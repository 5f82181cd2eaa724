import { Precond, Trainer } from '@evenkeel/edm2';
import { Generator, oneHot, tensor } from '@evenkeel/tensor';
import { smallNetwork } from '../work/network.ts';

/** The first training step of a network of the quickstart's size, until its loss is known. */
export async function firstStep(): Promise<void> {
  const random = new Generator(0);
  const net = new Precond({ ...smallNetwork, generator: random });
  const batch = { images: random.normal([8, 3, 16, 16]), labels: oneHot(tensor(new Int32Array(8)), 10) };
  const trainer = new Trainer(net, { next: async () => batch }, { batchSize: 8 });
  const { loss } = await trainer.step();
  await loss.item();
  trainer.dispose();
  net.dispose();
}
