/** Types of WGSL that generated code computes in; `vec4` is of whatever an array stores. */
export type WgslType = 'f32' | 'i32' | 'u32' | 'bool' | 'vec4';

/** A computed value: its text, and the block that it is known in. */
export interface Value {
  readonly text: string;
  readonly type: WgslType;
  readonly scope: Scope;
  /** Whether compilers know it. */
  readonly isConstant?: boolean;
}

/** A block of the program; what is known in it is known in the blocks within it. */
export interface Scope {
  readonly depth: number;
  readonly lines: string[];
  readonly known: Map<string, Value>;
  isOpen: boolean;
}

const INDENT = '  ';

/**
 * A function body in the making. `define` puts a value into the outermost block in which all that it is made of is known,
 * so what does not change in a loop is computed before it, and equal texts are computed once.
 */
export class Code {
  readonly #scopes: Scope[] = [newScope(0)];
  #names = 0;

  get scope(): Scope {
    return this.#scopes[this.#scopes.length - 1] as Scope;
  }

  get outermost(): Scope {
    return this.#scopes[0] as Scope;
  }

  /** A name that nothing else has. */
  name(stem: string): string {
    return `${stem}${this.#names++}`;
  }

  /** A text that is a value wherever it stands, such as a parameter or a number. */
  given(text: string, type: WgslType): Value {
    return { text, type, scope: this.outermost };
  }

  /** A number. Not written as a constant, whose arithmetic WGSL would do, and refuse to where it overflows. */
  literal(text: string, type: WgslType): Value {
    return { ...this.define(text, type, []), isConstant: true };
  }

  define(text: string, type: WgslType, operands: readonly Value[]): Value {
    let scope = this.outermost;
    for (const operand of operands) if (operand.scope.depth > scope.depth) scope = operand.scope;
    return this.#defineIn(scope, text, type);
  }

  /** A name that the block says itself, such as a loop's variable. */
  named(text: string, type: WgslType): Value {
    return { text, type, scope: this.scope };
  }

  /** A value that is to be computed here and now, such as what a variable holds at this moment. */
  now(text: string, type: WgslType): Value {
    const name = this.name('v');
    this.line(`let ${name} = ${text};`);
    return { text: name, type, scope: this.scope };
  }

  #defineIn(scope: Scope, text: string, type: WgslType): Value {
    const known = scope.known.get(text);
    if (known) return known;
    const name = this.name('v');
    scope.lines.push(`let ${name} = ${text};`);
    const value = { text: name, type, scope };
    scope.known.set(text, value);
    return value;
  }

  line(text: string): void {
    this.scope.lines.push(text);
  }

  /** `head { ... }` */
  block(head: string, body: () => void): void {
    this.#scopes.push(newScope(this.#scopes.length));
    body();
    const inner = this.#scopes.pop() as Scope;
    inner.isOpen = false;
    this.line(`${head} {`);
    for (const line of inner.lines) this.line(INDENT + line);
    this.line('}');
  }

  /** The body, once all blocks are closed. */
  finish(): string {
    return this.outermost.lines.map((line) => INDENT + line).join('\n');
  }
}

function newScope(depth: number): Scope {
  return { depth, lines: [], known: new Map(), isOpen: true };
}
