import { commit, grad, linspace, State, type Tensor, tensor } from '@evenkeel/tensor';

// 1. Derivatives. A gradient is a tensor like any other, so it has gradients of its own.
const x = linspace(-2, 2, 9);
const f = x.mul(x.sin());
const slope = grad(f.sum(), x);
const curvature = grad(slope.sum(), x);

console.log('     x    x sin x     first    second');
const columns = await Promise.all([x, f, slope, curvature].map((column) => column.data()));
for (let row = 0; row < x.size; row++) {
  console.log(columns.map((values) => (values[row] as number).toFixed(4).padStart(9)).join(' '));
}

// 2. A fit. Points of 2 sin(3 t) + 0.5; gradient descent finds the three numbers again.
const t = linspace(-1, 1, 64);
const target = t.mul(3).sin().mul(2).add(0.5);
using height = new State(tensor(1), { path: 'height' });
using frequency = new State(tensor(2), { path: 'frequency' });
using offset = new State(tensor(0), { path: 'offset' });
const parameters = [height, frequency, offset];

console.log('\n  step      loss    height frequency    offset');
for (let step = 0; step <= 40; step++) {
  const curve = t.mul(frequency.value).sin().mul(height.value).add(offset.value);
  const loss = curve.sub(target).square().mean();
  const before = parameters.map((parameter) => parameter.value);
  const gradients = grad(loss, before);

  // `assign` makes the new value current at once, in the graph; `commit` computes the whole step in one go.
  parameters.forEach((parameter, i) => {
    parameter.assign(parameter.value.sub((gradients[i] as Tensor).mul(0.2)));
  });
  await commit(loss, ...before);

  if (step % 5 === 0) {
    const values = await Promise.all([loss, ...before].map((value) => value.item()));
    console.log([String(step).padStart(6), ...values.map((value) => value.toFixed(5).padStart(9))].join(' '));
  }
}
