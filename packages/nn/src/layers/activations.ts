import type { Tensor } from '@evenkeel/tensor';
import { Module } from '../module/module.ts';

/**
 * max(x, 0) as a module, for {@link Sequential}.
 *
 * @example
 * ```ts
 * new Sequential(new Linear(2, 8), new ReLU(), new Linear(8, 1));
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
 * new Sequential(new Linear(2, 8), new SiLU(), new Linear(8, 1));
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
 * new Sequential(new Linear(2, 8), new GELU(), new Linear(8, 1));
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
 * new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 1));
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
 * new Sequential(new Linear(2, 8), new Sigmoid(), new Linear(8, 1));
 * ```
 */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}
