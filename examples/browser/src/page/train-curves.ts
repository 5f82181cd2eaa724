import type { Magnitudes } from '../protocol/train.ts';
import { element, output } from './elements.ts';
import { type Line, LineChart } from './line-chart.ts';

/** Of the smooth loss: what a step counts, at least. */
const freshness = 0.1;

/** The charts of a training: its loss, and magnitudes. */
export class TrainCurves {
  readonly #loss = new LineChart(element('loss-chart', HTMLCanvasElement));
  readonly #magnitudes = new LineChart(element('magnitude-chart', HTMLCanvasElement));
  readonly #lossOut = output('loss-out');
  #losses: { steps: number[]; values: number[]; smooth: number[] } = { steps: [], values: [], smooth: [] };
  #history: { steps: number[]; activations: number[][]; weights: number[][] } = {
    steps: [],
    activations: [],
    weights: [],
  };

  #isDistance = true;

  /** @param isDistance whether the loss cannot fall below 0; EDM2's is a log likelihood, the toy's a distance. */
  clear(isDistance: boolean): void {
    this.#isDistance = isDistance;
    this.#losses = { steps: [], values: [], smooth: [] };
    this.#history = { steps: [], activations: [], weights: [] };
    this.#lossOut.textContent = '';
    this.#showLoss();
    this.#showMagnitudes();
  }

  /** Losses of the last steps, up to `last`. */
  addLosses(last: number, losses: readonly number[]): void {
    const { steps, values, smooth } = this.#losses;
    for (const [i, loss] of losses.entries()) {
      const step = last - losses.length + 1 + i;
      const before = smooth.at(-1) ?? loss;
      steps.push(step);
      values.push(loss);
      smooth.push(before + (loss - before) * Math.max(freshness, 1 / step));
    }
    this.#lossOut.textContent = (smooth.at(-1) ?? Number.NaN).toFixed(3);
    this.#showLoss();
  }

  addMagnitudes(step: number, { activations, weights }: Magnitudes): void {
    const history = this.#history;
    if (history.steps.at(-1) === step) return;
    history.steps.push(step);
    append(history.activations, activations);
    append(history.weights, weights);
    this.#showMagnitudes();
  }

  #showLoss(): void {
    const { steps, values, smooth } = this.#losses;
    this.#loss.show(
      [
        { steps, values, color: 'accent', width: 1, opacity: 0.3 },
        { steps, values: smooth, color: 'accent', width: 2 },
      ],
      { logarithmic: this.#isDistance },
    );
  }

  #showMagnitudes(): void {
    const { steps, activations, weights } = this.#history;
    const lines = (values: readonly number[][], color: Line['color']) =>
      values.map((layer): Line => ({ steps, values: layer, color, opacity: 0.8 }));
    this.#magnitudes.show([...lines(activations, 'accent'), ...lines(weights, 'warm')], {
      logarithmic: true,
      within: [0.5, 2],
      mark: 1,
    });
  }
}

/** One more value for each layer. */
function append(history: number[][], values: readonly number[]): void {
  for (const [i, value] of values.entries()) {
    const layer = history[i];
    if (layer === undefined) history.push([value]);
    else layer.push(value);
  }
}
