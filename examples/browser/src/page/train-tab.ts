import type { Look, SnapshotFile, TrainReply, TrainRequest, TrainSettings, TrainTask } from '../protocol/train.ts';
import type { BackendPicker } from './backend-picker.ts';
import { block, button, element, fillSelect, select, showLine } from './elements.ts';
import { PictureGrid } from './picture-grid.ts';
import { Plane } from './plane.ts';
import { save } from './save.ts';
import { TrainCurves } from './train-curves.ts';
import { WorkerLink } from './worker-link.ts';

interface TaskChoices {
  readonly widths: readonly number[];
  readonly width: number;
  readonly batches: readonly number[];
  readonly batch: number;
  readonly unit: string;
  readonly steps: number;
}

const tasks: Readonly<Record<TrainTask, TaskChoices>> = {
  toy: { widths: [16, 32, 64], width: 64, batches: [256, 1024, 4096], batch: 1024, unit: 'Points a step', steps: 4096 },
  emoji16: { widths: [8, 16, 24], width: 16, batches: [4, 8, 16], batch: 8, unit: 'Pictures a step', steps: 16_384 },
};

/** A worker that does not end a run within this many milliseconds is replaced. */
const patience = 5000;

type State = 'idle' | 'starting' | 'training' | 'paused' | 'ending';

/** The tab that trains. */
export class TrainTab {
  readonly #picker: BackendPicker;
  readonly #link: WorkerLink<TrainRequest, TrainReply>;
  readonly #plane = new Plane(element('plane', HTMLCanvasElement));
  readonly #pictures = new PictureGrid(block('train-pictures'));
  readonly #curves = new TrainCurves();
  readonly #status = block('train-status');
  readonly #error = block('train-error');
  readonly #onLearned: (files: readonly File[]) => void;
  #state: State = 'idle';
  #run = 0;
  #about = '';
  #use: 'paint' | 'save' = 'paint';
  #overdue: ReturnType<typeof setTimeout> | undefined;

  /** @param onLearned is given weights that are to be painted with */
  constructor(picker: BackendPicker, worker: URL, onLearned: (files: readonly File[]) => void) {
    this.#picker = picker;
    this.#onLearned = onLearned;
    this.#link = new WorkerLink(
      worker,
      (reply) => this.#onReply(reply),
      (reason) => this.#replaceWorker(`the worker ended: ${reason}`),
    );
    element('train-form', HTMLFormElement).onsubmit = (event) => {
      event.preventDefault();
      this.#start();
    };
    button('train-pause').onclick = () => this.#link.send({ type: this.#state === 'paused' ? 'resume' : 'pause' });
    button('train-end').onclick = () => this.#end();
    for (const use of ['paint', 'save'] as const) {
      button(`${use}-learned`).onclick = () => {
        this.#use = use;
        // Painting is to have the machine to itself.
        if (use === 'paint' && this.#state === 'training') this.#link.send({ type: 'pause' });
        this.#link.send({ type: 'snapshots' });
      };
    }
    select('task').onchange = () => this.#showTask();
    this.#showTask();
    this.#setState('idle');
  }

  get #task(): TrainTask {
    return select('task').value as TrainTask;
  }

  #settings(): TrainSettings {
    return {
      backend: this.#picker.chosen,
      task: this.#task,
      width: Number(select('width').value),
      batchSize: Number(select('batch').value),
      steps: tasks[this.#task].steps,
      seed: 0,
    };
  }

  #showTask(): void {
    const { widths, width, batches, batch, unit } = tasks[this.#task];
    const options = (values: readonly number[]) => values.map((value) => ({ value: `${value}`, text: `${value}` }));
    fillSelect(select('width'), options(widths));
    fillSelect(select('batch'), options(batches));
    select('width').value = `${width}`;
    select('batch').value = `${batch}`;
    block('batch-label').textContent = unit;
  }

  #start(): void {
    const settings = this.#settings();
    showLine(this.#error, undefined);
    this.#status.textContent = 'Starting …';
    this.#plane.setPoints(new Float32Array());
    this.#curves.clear(settings.task === 'toy');
    block('plane-card').hidden = settings.task !== 'toy';
    block('train-pictures').hidden = settings.task !== 'emoji16';
    block('learned').hidden = settings.task !== 'emoji16';
    this.#link.send({ type: 'start', run: ++this.#run, settings });
    this.#setState('starting');
  }

  #end(): void {
    this.#status.textContent = 'Ending …';
    this.#link.send({ type: 'end' });
    this.#setState('ending');
    this.#overdue = setTimeout(
      () => this.#replaceWorker('ended; the worker did not answer and was replaced'),
      patience,
    );
  }

  #onReply(reply: TrainReply): void {
    if ('run' in reply && reply.run !== this.#run) return;
    switch (reply.type) {
      case 'ready':
        this.#plane.setDensity(reply.density);
        break;
      case 'started':
        this.#about = `${reply.computes.text}, ${reply.parameters.toLocaleString('en')} weights`;
        this.#status.textContent = `${this.#about}: compiling …`;
        showLine(this.#error, reply.computes.note);
        if (this.#state === 'starting') this.#setState('training');
        break;
      case 'steps':
        this.#curves.addLosses(reply.step, reply.losses);
        this.#showStep(reply.step, reply.stepsPerSecond);
        break;
      case 'magnitudes':
        this.#curves.addMagnitudes(reply.step, reply.magnitudes);
        break;
      case 'look':
        this.#showLook(reply.look);
        break;
      case 'paused':
        this.#status.textContent = `Paused after ${reply.step.toLocaleString('en')} steps`;
        this.#setState('paused');
        break;
      case 'resumed':
        this.#setState('training');
        break;
      case 'snapshots':
        this.#handOver(reply.files);
        break;
      case 'ended':
        this.#status.textContent = 'Ended';
        this.#setState('idle');
        break;
      case 'failed':
        this.#status.textContent = 'That did not work';
        showLine(this.#error, reply.reason);
        this.#setState('idle');
    }
  }

  #showStep(step: number, stepsPerSecond: number | undefined): void {
    const speed = stepsPerSecond === undefined ? '' : `, ${stepsPerSecond.toFixed(1)} a second`;
    this.#status.textContent = `${this.#about}: step ${step.toLocaleString('en')}${speed}`;
  }

  #showLook(look: Look): void {
    if (look.kind === 'points') {
      this.#plane.setPoints(look.points);
      return;
    }
    this.#pictures.lay(look.captions, look.resolution);
    this.#pictures.draw(look.rgba);
    block('train-pictures').setAttribute('aria-label', 'Pictures that the network paints, two of each class');
  }

  #handOver(files: readonly SnapshotFile[]): void {
    const made = files.map(({ name, bytes }) => new File([bytes], name));
    if (this.#use === 'paint') this.#onLearned(made);
    else for (const file of made) save(file, file.name);
  }

  #replaceWorker(reason: string): void {
    this.#run++;
    this.#link.restart();
    this.#status.textContent = 'Ended';
    showLine(this.#error, reason);
    this.#setState('idle');
  }

  #setState(state: State): void {
    if (state !== 'ending') clearTimeout(this.#overdue);
    this.#state = state;
    const isRunning = state === 'training' || state === 'paused';
    button('train-start').disabled = state === 'ending';
    button('train-start').textContent = state === 'idle' ? 'Train' : 'Train anew';
    button('train-pause').disabled = !isRunning;
    button('train-pause').textContent = state === 'paused' ? 'Go on' : 'Pause';
    button('train-end').disabled = state === 'idle' || state === 'ending';
    for (const id of ['paint-learned', 'save-learned']) button(id).disabled = !isRunning;
  }
}
