// Opens weights and paints with them, so that the page's own thread stays free.
import type { SampleReply, SampleRequest, SampleSettings } from '../protocol/sample.ts';
import { missingBackends, WorkerBackend } from './backends.ts';
import { Painter } from './painter.ts';
import { messageOf, workerScope } from './scope.ts';
import { fetchWeights, nameOf, readWeights } from './weights-file.ts';
import { networkOf, WeightsStore } from './weights-store.ts';

const scope = workerScope<SampleRequest, SampleReply>();
const store = new WeightsStore();
const painter = new Painter(new WorkerBackend(), store);
let stop = new AbortController();
/** Work is done one after the other. */
let queue: Promise<void> = Promise.resolve();

scope.onmessage = ({ data: request }) => {
  if (request.type === 'stop') stop.abort();
  else {
    if (request.type === 'sample') stop = new AbortController();
    const { signal } = stop;
    queue = queue.then(() => {
      return request.type === 'open' ? open(request) : paint(request.run, request.settings, signal);
    });
  }
};

missingBackends().then((missing) => scope.postMessage({ type: 'ready', missing }));

async function open({ id, source }: Extract<SampleRequest, { type: 'open' }>): Promise<void> {
  try {
    const name = nameOf(source);
    const file = readWeights(await fetchWeights(source), name, id);
    networkOf(file, name).dispose(); // tells whether the weights are those of the network that they describe
    const network = store.add(file);
    painter.forget();
    scope.postMessage({ type: 'networks', networks: store.cards() });
    scope.postMessage({ type: 'opened', id, name, network });
  } catch (error) {
    scope.postMessage({ type: 'refused', id, reason: messageOf(error) });
  }
}

async function paint(run: number, settings: SampleSettings, signal: AbortSignal): Promise<void> {
  try {
    await painter.paint(settings, signal, {
      onStart: (computes) => scope.postMessage({ type: 'started', run, computes }),
      onStep: (step) => {
        scope.postMessage({ type: 'step', run, ...step }, [step.noisy.buffer, step.expected.buffer]);
      },
    });
    scope.postMessage({ type: 'finished', run, stopped: false });
  } catch (error) {
    if (signal.aborted) scope.postMessage({ type: 'finished', run, stopped: true });
    else {
      await painter.reset();
      scope.postMessage({ type: 'failed', run, reason: messageOf(error) });
    }
  }
}
