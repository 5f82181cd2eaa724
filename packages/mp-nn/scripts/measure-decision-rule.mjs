// Prints the table of false-alarm rate and power in docs/magnitude-contracts.md, from the built package:
// npm run build && node packages/mp-nn/scripts/measure-decision-rule.mjs
import { simulateRule, studentQuantile } from '@evenkeel/mp-nn/testing';

const detect = 0.02;
const power = 0.999;
const comparisons = 16;
const alpha = 1e-6 / comparisons;
const perDraw = [100, 300, 1000, 4000];

/** Where trials are sampled to see alarms of a right layer: at the edge of the interval. */
function tilted(rule, ratio, degrees, trials) {
  const reach = studentQuantile(rule.alpha / 2, 200);
  const edge = ((reach / (reach + 3.1)) * (rule.detect - rule.allowance)) / 1.15;
  const sides = [1, -1].map((side) => {
    if (ratio !== 1 && Math.sign(ratio - 1) !== side) return { rate: 0, error: 0 };
    const tilt = ratio * (1 + side * (edge + (ratio === 1 ? rule.allowance : 0)));
    return simulateRule({ rule, ratio, tilt, degrees, trials, seed: 2 + side });
  });
  return {
    rate: (sides[0].rate + sides[1].rate) * comparisons,
    error: Math.hypot(sides[0].error, sides[1].error) * comparisons,
  };
}

const show = ({ rate, error }) => `${rate.toExponential(1)} ± ${error.toExponential(0)}`;

console.log('| squares a draw | draws | no allowance | right layer | 0.2% off | 1% off | 2% high | 2% low | 3% high |');
console.log('|---|---|---|---|---|---|---|---|---|');
for (const degrees of perDraw) {
  const bare = { alpha, detect, allowance: 0, power };
  const rule = { alpha, detect, allowance: 0.002, power };
  const caught = (ratio) => simulateRule({ rule, ratio, degrees, trials: 4000, seed: 9 });
  const high = caught(1.02);
  const cells = [
    degrees,
    Math.round(high.draws),
    show(tilted(bare, 1, degrees, 20_000)),
    show(tilted(rule, 1, degrees, 20_000)),
    show(tilted(rule, 1.002, degrees, 20_000)),
    ...[caught(1.01), high, caught(0.98), caught(1.03)].map(({ rate }) => `${(rate * 100).toFixed(2)}%`),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
