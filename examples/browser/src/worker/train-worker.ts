// Trains, so that the page's own thread stays free.
import type { SnapshotFile, TrainReply, TrainRequest, TrainSettings } from '../protocol/train.ts';
import { WorkerBackend } from './backends.ts';
import { EmojiTraining } from './emoji-training.ts';
import { messageOf, workerScope } from './scope.ts';
import { ToyTraining, toyDensity } from './toy-training.ts';
import { TrainLoop } from './train-loop.ts';
import type { Training } from './training.ts';

const scope = workerScope<TrainRequest, TrainReply>();
const backend = new WorkerBackend();
let current: { readonly run: number; readonly loop: TrainLoop; readonly training: Training } | undefined;
/** Runs follow each other. */
let queue: Promise<void> = Promise.resolve();
/** The run that was asked for last: those before it end at once. */
let newest = 0;

scope.onmessage = ({ data: request }) => {
  switch (request.type) {
    case 'start':
      newest = request.run;
      current?.loop.end();
      queue = queue.then(() => run(request.run, request.settings));
      break;
    case 'pause':
      current?.loop.pause();
      break;
    case 'resume':
      current?.loop.resume();
      break;
    case 'end':
      newest = 0;
      current?.loop.end();
      break;
    case 'snapshots':
      if (current) sendSnapshots(current);
  }
};

scope.postMessage({ type: 'ready', density: toyDensity() });

async function run(number: number, settings: TrainSettings): Promise<void> {
  let training: Training | undefined;
  try {
    const computes = await backend.use(settings.backend);
    training = await open(settings);
    scope.postMessage({ type: 'started', run: number, computes, parameters: training.parameters });
    const loop = new TrainLoop(training, settings, (event) => scope.postMessage({ ...event, run: number }));
    current = { run: number, loop, training };
    if (newest !== number) loop.end();
    await loop.run();
    scope.postMessage({ type: 'ended', run: number });
  } catch (error) {
    scope.postMessage({ type: 'failed', run: number, reason: messageOf(error) });
    await backend.close();
  } finally {
    current = undefined;
    training?.dispose();
  }
}

function open(settings: TrainSettings): Promise<Training> | Training {
  if (settings.task === 'toy') return new ToyTraining(settings);
  return EmojiTraining.open(settings, new URL('./', location.href));
}

function sendSnapshots({ run, loop, training }: NonNullable<typeof current>): void {
  loop.between(async () => {
    const files: readonly SnapshotFile[] = await training.snapshots();
    scope.postMessage(
      { type: 'snapshots', run, files },
      files.map(({ bytes }) => bytes.buffer),
    );
  });
}
