/** What generated code computes in: whole numbers are floats too, exact up to 2^24. */
export type ValueType = 'float' | 'bool';

/** A computed value: its text, and the block that it is known in. */
export interface Value {
  readonly text: string;
  readonly type: ValueType;
  readonly scope: Scope;
}

/** A block of the program; what is known in it is known in the blocks within it. */
export interface Scope {
  readonly depth: number;
  readonly lines: string[];
  readonly known: Map<string, Value>;
  isOpen: boolean;
}

/**
 * A function body in the making. `define` puts a value into the outermost block in which all that it is made of is known,
 * so what does not change in a loop is computed before it, and equal texts are computed once.
 */
export class Code {
  readonly #scopes: Scope[] = [newScope(0)];
  #names = 0;

  get outermost(): Scope {
    return this.#scopes[0] as Scope;
  }

  get #scope(): Scope {
    return this.#scopes[this.#scopes.length - 1] as Scope;
  }

  /** A name that nothing else has. */
  name(stem: string): string {
    return `${stem}${this.#names++}`;
  }

  /** A text that is a value wherever it stands: a parameter, a number. */
  given(text: string, type: ValueType = 'float'): Value {
    return { text, type, scope: this.outermost };
  }

  define(text: string, type: ValueType, operands: readonly Value[]): Value {
    let scope = this.outermost;
    for (const operand of operands) if (operand.scope.depth > scope.depth) scope = operand.scope;
    const known = scope.known.get(text);
    if (known) return known;
    const name = this.name('v');
    scope.lines.push(`const ${name} = ${text};`);
    const value = { text: name, type, scope };
    scope.known.set(text, value);
    return value;
  }

  /** What a variable holds at this moment. */
  now(text: string, type: ValueType): Value {
    const name = this.name('v');
    this.line(`const ${name} = ${text};`);
    return { text: name, type, scope: this.#scope };
  }

  line(text: string): void {
    this.#scope.lines.push(text);
  }

  /** `head { ... }` */
  block(head: string, body: () => void): void {
    this.#scopes.push(newScope(this.#scopes.length));
    body();
    const inner = this.#scopes.pop() as Scope;
    inner.isOpen = false;
    this.line(`${head} {`);
    for (const line of inner.lines) this.line(`  ${line}`);
    this.line('}');
  }

  /** Counts from 0 to count - 1. Loop variables are whole numbers, `body` is given the float. */
  loop(count: number | string, body: (index: Value) => void): void {
    const turn = this.name('i');
    this.block(`for (let ${turn} = 0; ${turn} < ${count}; ${turn}++)`, () => {
      body(this.now(turn, 'float'));
    });
  }

  /** The body, once all blocks are closed. */
  finish(): string {
    return this.outermost.lines.map((line) => `  ${line}`).join('\n');
  }
}

function newScope(depth: number): Scope {
  return { depth, lines: [], known: new Map(), isOpen: true };
}
