/** A storage buffer that a launch binds: an operand of the kernel, or memory to work in. */
export interface Binding {
  readonly kind: 'operand' | 'scratch';
  readonly number: number;
  readonly isWritten: boolean;
}

/** One dispatch: a program and what it is bound to. Binding i of the program is `bindings[i]`, then come the arguments. */
export interface Launch {
  readonly code: string;
  readonly bindings: readonly Binding[];
  /** Whether the last binding is a uniform buffer with the kernel's launch arguments. */
  readonly hasArguments: boolean;
  /** Workgroups along x and y. */
  readonly workgroups: readonly [number, number];
}

/** A kernel as the launches that compute it, in order. */
export interface PrintedKernel {
  readonly launches: readonly Launch[];
  /** Bytes of each memory to work in; it holds nothing between kernels. */
  readonly scratch: readonly number[];
}
