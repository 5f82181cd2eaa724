import { type GpujsBackend, gpujs } from '@evenkeel/backend-gpujs';
import { tensor, withBackend } from '@evenkeel/tensor';

/** What WebGL 2 says of too large a texture, of memory that there is not, and of a lost context; and what runs after it. */
export interface WebglFailures {
  readonly tooLarge: string;
  readonly full: string;
  readonly afterFull: number;
  readonly lost: string;
  readonly afterLoss: number;
}

/** In a page alone. */
export async function failWebgl2(): Promise<WebglFailures> {
  const contexts = watchContexts();
  const made = await gpujs({ mode: 'webgl2', fallback: false });
  const context = contexts.at(-1) as TestContext;
  const sum = (backend: GpujsBackend, length: number) => {
    return withBackend(backend, () => tensor(new Float32Array(length).fill(1)).mul(2).sum().item());
  };
  const said = (work: Promise<unknown>) =>
    work.then(
      () => 'nothing',
      (error: Error) => error.message,
    );
  const ones = await withBackend(made, () => tensor(new Float32Array(100).fill(1)).mul(1).realize());
  const { getError } = context;
  context.getError = () => 0x0505;
  const full = await said(withBackend(made, () => ones.mul(2).sum().item()));
  context.getError = getError;
  ones.dispose();
  const afterFull = await sum(made, 100);
  context.getExtension('WEBGL_lose_context')?.loseContext();
  await new Promise((resolve) => setTimeout(resolve));
  const lost = await said(sum(made, 100));
  contexts.restore();
  await made.dispose();
  const small = watchContexts((made) => {
    const getParameter = made.getParameter.bind(made);
    made.getParameter = (name) => (name === 0x0d33 ? 8 : getParameter(name));
  });
  const next = await gpujs({ mode: 'webgl2', fallback: false });
  small.restore();
  const afterLoss = await sum(next, 60);
  const tooLarge = await said((async () => next.allocate({ dtype: 'float32', length: 65 }))());
  await next.dispose();
  return { tooLarge, full, afterFull, lost, afterLoss };
}

/** What the test uses of WebGL. */
interface TestContext {
  getError(): number;
  getParameter(name: number): unknown;
  getExtension(name: string): { loseContext(): void } | null;
}

/** The WebGL contexts that are made from now on. */
function watchContexts(change?: (context: TestContext) => void): TestContext[] & { restore(): void } {
  const { prototype } = (globalThis as unknown as { HTMLCanvasElement: { prototype: CanvasPrototype } })
    .HTMLCanvasElement;
  const { getContext } = prototype;
  const contexts: TestContext[] = [];
  prototype.getContext = function watched(...given) {
    const context = getContext.apply(this, given);
    if (context && !contexts.includes(context)) {
      contexts.push(context);
      change?.(context);
    }
    return context;
  };
  return Object.assign(contexts, {
    restore() {
      prototype.getContext = getContext;
    },
  });
}

interface CanvasPrototype {
  getContext(...given: unknown[]): TestContext | null;
}
