import type { Tensor } from '@evenkeel/tensor';
import { Module } from '../module/module.ts';

/**
 * max(x, 0) as a module, for {@link Sequential}.
 *
 * @example
 * ```ts
 * new ReLU().call(tensor([-1, 0, 2])); // [0, 0, 2]
 * ```
 */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return x.relu();
  }
}

/**
 * x sigmoid(x) as a module.
 *
 * @example
 * ```ts
 * new SiLU().call(tensor([-1, 0, 2])); // [-0.2689, 0, 1.7616]
 * ```
 */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return x.silu();
  }
}

/**
 * x Phi(x) as a module.
 *
 * @example
 * ```ts
 * new GELU().call(tensor([-1, 0, 2])); // [-0.1587, 0, 1.9545]
 * ```
 */
export class GELU extends Module {
  forward(x: Tensor): Tensor {
    return x.gelu();
  }
}

/**
 * tanh(x) as a module.
 *
 * @example
 * ```ts
 * new Tanh().call(tensor([-1, 0, 2])); // [-0.7616, 0, 0.9640]
 * ```
 */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return x.tanh();
  }
}

/**
 * 1 / (1 + exp(-x)) as a module.
 *
 * @example
 * ```ts
 * new Sigmoid().call(tensor([-1, 0, 2])); // [0.2689, 0.5, 0.8808]
 * ```
 */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}
