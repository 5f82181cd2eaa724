import type { Node } from '../graph/node.ts';

/** Numbers drawn while a function was traced, and how to draw the next ones. */
export interface Draw {
  readonly redraw: () => readonly number[];
  /** The constants that hold the numbers, in the order in which `redraw` gives them. */
  readonly nodes: readonly Node[];
}

/** What is recorded while a function is traced. */
export class Trace {
  readonly draws: Draw[] = [];

  /** Random numbers drawn in a traced function are drawn anew at each call. */
  registerDraw(redraw: () => readonly number[], nodes: readonly Node[]): void {
    this.draws.push({ redraw, nodes });
  }
}

let current: Trace | undefined;

/** The trace under way, if user code runs inside `compile`. */
export function currentTrace(): Trace | undefined {
  return current;
}

/** Runs `build`, synchronously, under `trace`. */
export function withTrace<T>(trace: Trace, build: () => T): T {
  if (current !== undefined)
    throw new Error('compile: a compiled function is called inside another. Call its plain function there');
  current = trace;
  try {
    return build();
  } finally {
    current = undefined;
  }
}

/** @throws when user code is being traced: nothing can be computed there. */
export function refuseInTrace(what: string): void {
  if (current !== undefined) {
    throw new Error(
      `${what}: a compiled function is being traced, and its values are not known yet. Return the tensor from the function and read it outside`,
    );
  }
}
