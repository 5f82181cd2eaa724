import type {
  NetworkCard,
  SampleReply,
  SampleRequest,
  SampleSettings,
  SampleStep,
  WeightsSource,
} from '../protocol/sample.ts';
import type { BackendPicker } from './backend-picker.ts';
import { block, button, element, input, output, select, showLine } from './elements.ts';
import { NetworkPanel, startOpening } from './network-panel.ts';
import { PictureGrid } from './picture-grid.ts';
import { Playback } from './playback.ts';
import { save } from './save.ts';
import { shippedWeights } from './shipped-weights.ts';
import { WorkerLink } from './worker-link.ts';

/** A worker that does not stop within this many milliseconds is replaced. */
const patience = 5000;

/** The tab that paints. */
export class SampleTab {
  readonly #picker: BackendPicker;
  readonly #panel = new NetworkPanel();
  readonly #grid = new PictureGrid(block('pictures'));
  readonly #playback = new Playback(this.#grid);
  readonly #link: WorkerLink<SampleRequest, SampleReply>;
  readonly #status = block('sample-status');
  readonly #error = block('sample-error');
  /** All that was opened, for a worker that takes the place of another. */
  readonly #sources = new Map<number, WeightsSource>();
  /** Shipped files that are still to come, and those that a fresh worker opens again: they change no choice. */
  readonly #awaited = new Set<number>();
  #networks: readonly NetworkCard[] = [];
  #opened = 0;
  #run = 0;
  #isBusy = false;
  #computes = '';
  #overdue: ReturnType<typeof setTimeout> | undefined;

  constructor(picker: BackendPicker, worker: URL) {
    this.#picker = picker;
    this.#link = new WorkerLink(
      worker,
      (reply) => this.#onReply(reply),
      (reason) => this.#onCrash(reason),
    );
    element('sample-form', HTMLFormElement).onsubmit = (event) => {
      event.preventDefault();
      this.#paint();
    };
    button('stop-paint').onclick = () => this.#stop();
    button('save').onclick = () => this.#save();
    button('dice').onclick = () => {
      input('seed').value = String(Math.floor(Math.random() * 1e6));
      this.#paint();
    };
    const steps = input('steps');
    steps.oninput = () => {
      output('steps-out').textContent = steps.value;
    };
    output('steps-out').textContent = steps.value;
    startOpening((source) => this.open(source));
    for (const url of new URLSearchParams(location.search).getAll('weights')) {
      this.open({ url: new URL(url, document.baseURI).href });
    }
    for (const name of shippedWeights) this.#awaited.add(this.open({ url: new URL(name, document.baseURI).href }));
  }

  /** Opens weights; gives the number that they go by. */
  open(source: WeightsSource): number {
    const id = this.#opened++;
    this.#sources.set(id, source);
    this.#link.send({ type: 'open', id, source });
    return id;
  }

  #settings(): SampleSettings | undefined {
    const { card, std, guide, guidance } = this.#panel;
    const [seed, steps] = [input('seed').valueAsNumber, input('steps').valueAsNumber];
    if (card === undefined || !Number.isInteger(seed)) return undefined;
    const count = Number(select('count').value);
    const places = Array.from({ length: count }, (_, i) => i);
    return {
      backend: this.#picker.chosen,
      network: card.id,
      std,
      guide,
      guidance,
      steps,
      seeds: places.map((i) => seed + i),
      classes: card.classes.length === 0 ? [] : places.map((i) => this.#panel.classOf(i)),
    };
  }

  #paint(): void {
    const settings = this.#settings();
    const { card } = this.#panel;
    if (settings === undefined || card === undefined) return;
    if (this.#isBusy) this.#link.send({ type: 'stop' });
    showLine(this.#error, undefined);
    this.#status.textContent = 'Starting …';
    this.#playback.clear(settings.steps);
    const captions = settings.seeds.map((_, i) => card.classes[settings.classes[i] as number] ?? '');
    this.#grid.lay(captions, card.resolution);
    const what = new Set(captions).size === 1 ? captions[0] || 'no class' : 'every class in turn';
    block('pictures').setAttribute('aria-label', `${captions.length} pictures: ${what}`);
    this.#setBusy(true);
    this.#link.send({ type: 'sample', run: ++this.#run, settings });
  }

  #stop(): void {
    this.#status.textContent = 'Stopping …';
    this.#link.send({ type: 'stop' });
    this.#overdue = setTimeout(
      () => this.#replaceWorker('stopped; the worker did not answer and was replaced'),
      patience,
    );
  }

  #onReply(reply: SampleReply): void {
    if ('run' in reply && reply.run !== this.#run) return;
    switch (reply.type) {
      case 'ready':
        this.#picker.setMissing(reply.missing);
        break;
      case 'networks':
        this.#networks = reply.networks;
        // Files of one training that come one by one would change what is chosen.
        if (this.#awaited.size === 0) this.#showNetworks();
        break;
      case 'opened':
        if (this.#came(reply.id)) break;
        this.#showNetworks();
        this.#panel.choose(reply.network);
        if (!this.#isBusy) this.#status.textContent = `${reply.name} is open`;
        showLine(this.#error, undefined);
        break;
      case 'refused':
        this.#sources.delete(reply.id);
        this.#came(reply.id);
        showLine(this.#error, reply.reason);
        break;
      case 'started':
        this.#computes = reply.computes.text;
        this.#status.textContent = `${this.#computes}: compiling …`;
        showLine(this.#error, reply.computes.note);
        break;
      case 'step':
        this.#onStep(reply);
        break;
      case 'finished':
        if (reply.stopped) this.#status.textContent = 'Stopped';
        button('save').disabled = false;
        this.#setBusy(false);
        break;
      case 'failed':
        this.#status.textContent = 'That did not work';
        showLine(this.#error, reply.reason);
        this.#setBusy(false);
    }
  }

  #onStep(reply: SampleStep): void {
    this.#playback.add(reply);
    const { step, steps, stepsPerSecond } = reply;
    const speed = stepsPerSecond === undefined ? '' : `, ${stepsPerSecond.toFixed(1)} steps a second`;
    if (step > 0) this.#status.textContent = `${this.#computes}: step ${step} of ${steps}${speed}`;
  }

  #onCrash(reason: string): void {
    this.#replaceWorker(`the worker ended: ${reason}`);
  }

  /** A fresh worker opens the same files. */
  #replaceWorker(reason: string): void {
    this.#run++;
    this.#status.textContent = 'Stopped';
    this.#link.restart();
    for (const [id, source] of this.#sources) {
      this.#awaited.add(id);
      this.#link.send({ type: 'open', id, source });
    }
    showLine(this.#error, reason);
    this.#setBusy(false);
  }

  /** Whether it was awaited. When the last of them has come, pictures are painted, so that there is something to see. */
  #came(id: number): boolean {
    if (!this.#awaited.delete(id)) return false;
    if (this.#awaited.size > 0) return true;
    this.#showNetworks();
    if (this.#run === 0 && !block('sample').hidden) this.#paint();
    return true;
  }

  #showNetworks(): void {
    if (this.#networks.length === 0) {
      this.#status.textContent = 'No weights are open';
      return;
    }
    this.#panel.setCards(this.#networks);
    if (!this.#isBusy) this.#status.textContent = 'Ready';
    button('paint').disabled = false;
  }

  #setBusy(isBusy: boolean): void {
    clearTimeout(this.#overdue);
    this.#isBusy = isBusy;
    button('stop-paint').disabled = !isBusy;
  }

  #save(): void {
    this.#grid.toCanvas(8).toBlob((picture) => {
      if (picture !== null) save(picture, 'evenkeel.png');
    });
  }
}
