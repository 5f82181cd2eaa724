import type { SampleStep } from '../protocol/sample.ts';
import { button, input, output } from './elements.ts';
import type { PictureGrid } from './picture-grid.ts';

type View = 'expected' | 'noisy';

/** Milliseconds that a step is shown when played. */
const pace = 90;

/** Keeps the pictures of all steps of a run, and shows the newest, the one that is pointed at, or all in turn. */
export class Playback {
  readonly #grid: PictureGrid;
  readonly #scrub = input('scrub');
  readonly #play = button('play');
  readonly #text = output('step-text');
  #steps: SampleStep[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  #frame = 0;

  constructor(grid: PictureGrid) {
    this.#grid = grid;
    this.#scrub.oninput = () => {
      this.#halt();
      this.#show();
    };
    this.#play.onclick = () => (this.#timer === undefined ? this.#start() : this.#halt());
    for (const radio of document.querySelectorAll<HTMLInputElement>('input[name=view]'))
      radio.onchange = () => this.#show();
  }

  clear(steps: number): void {
    this.#halt();
    this.#steps = [];
    this.#scrub.max = String(steps);
    this.#scrub.value = '0';
    this.#enable(false);
  }

  /** Shows a step, unless an earlier one is being looked at. */
  add(step: SampleStep): void {
    const follows = this.#timer === undefined && Number(this.#scrub.value) >= this.#steps.length - 1;
    this.#steps.push(step);
    this.#enable(true);
    if (!follows) return;
    this.#scrub.value = String(this.#steps.length - 1);
    this.#show();
  }

  #start(): void {
    if (Number(this.#scrub.value) >= this.#steps.length - 1) this.#scrub.value = '0';
    this.#play.textContent = '❚❚';
    this.#play.setAttribute('aria-label', 'Pause');
    this.#show();
    this.#timer = setInterval(() => {
      if (Number(this.#scrub.value) >= this.#steps.length - 1) return this.#halt();
      this.#scrub.value = String(Number(this.#scrub.value) + 1);
      this.#show();
    }, pace);
  }

  #halt(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#play.textContent = '▶';
    this.#play.setAttribute('aria-label', 'Play all steps');
  }

  #show(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      const at = Math.min(Number(this.#scrub.value), this.#steps.length - 1);
      const step = this.#steps[at];
      if (step === undefined) return;
      const view = document.querySelector<HTMLInputElement>('input[name=view]:checked')?.value as View;
      this.#grid.draw(step[view]);
      const sigma = step.sigma === 0 ? '0' : step.sigma.toPrecision(2);
      this.#text.textContent = `step ${step.step} of ${step.steps}, noise level ${sigma}`;
    });
  }

  #enable(isOn: boolean): void {
    this.#scrub.disabled = !isOn;
    this.#play.disabled = !isOn;
  }
}
