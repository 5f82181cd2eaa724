import { commit, Tensor } from '@evenkeel/tensor';
import { compare, type Mismatch } from './compare.ts';
import { type ManifestCase, ReferenceFolder, type Role } from './folder.ts';
import { caseRunners } from './kinds/index.ts';
import { type CaseDType, type Computed, type HostNumbers, ReferenceCase } from './reference-case.ts';

export interface ConformanceOptions {
  /** What networks compute in. @defaultValue 'float32' */
  readonly dtype?: CaseDType;
  /** Kinds to run; cases of others are left out. @defaultValue all */
  readonly kinds?: readonly string[];
  /** Told of each case when it is done. */
  readonly onCase?: (result: CaseResult) => void;
}

export interface CaseResult {
  readonly id: string;
  readonly kind: string;
  /** How many tensors were compared. */
  readonly tensors: number;
  /** Largest deviation over tolerance of any tensor; above 1 fails. */
  readonly worst: number;
  readonly seconds: number;
  /** Empty when the case passed. */
  readonly mismatches: readonly Mismatch[];
}

/**
 * Runs the cases of a folder of reference values on the current backend, one after the other.
 *
 * @throws when the folder has another form. What fails inside a case is part of its result.
 */
export async function runConformance(path: string, options: ConformanceOptions = {}): Promise<CaseResult[]> {
  const folder = await ReferenceFolder.open(path);
  const { kinds } = options;
  const missing = kinds?.find((kind) => !folder.cases.some((one) => one.kind === kind));
  if (missing !== undefined) {
    const present = [...new Set(folder.cases.map(({ kind }) => kind))].join(', ');
    throw new Error(`${path}: has no case of kind '${missing}'. It has ${present}`);
  }
  const results: CaseResult[] = [];
  for (const one of folder.cases) {
    if (kinds !== undefined && !kinds.includes(one.kind)) continue;
    const start = performance.now();
    const judged = await runCase(folder, one, options.dtype ?? 'float32');
    const result = { ...judged, seconds: (performance.now() - start) / 1000 };
    results.push(result);
    options.onCase?.(result);
  }
  return results;
}

type Judged = Omit<CaseResult, 'seconds'>;

async function runCase(folder: ReferenceFolder, one: ManifestCase, dtype: CaseDType): Promise<Judged> {
  const { id, kind } = one;
  const failed = (reason: string): Judged => {
    return { id, kind, tensors: 0, worst: Number.NaN, mismatches: [{ tensor: '', reason }] };
  };
  const runner = caseRunners.get(kind);
  if (runner === undefined) return failed(`kind '${kind}' is not known`);
  const reference = new ReferenceCase(folder, one, dtype);
  try {
    const computed = await readAll(await runner(reference));
    return { id, kind, ...(await judge(folder, one, computed)) };
  } catch (error) {
    return failed((error instanceof Error ? error.message : String(error)).split('\n')[0] as string);
  } finally {
    reference.dispose();
  }
}

/** Compares everything that the case lists as a result. */
async function judge(folder: ReferenceFolder, one: ManifestCase, computed: ReadonlyMap<string, HostNumbers>) {
  const mismatches: Mismatch[] = [];
  let [tensors, worst] = [0, 0];
  for (const role of ['out', 'grad'] as const satisfies readonly Role[]) {
    for (const name of one.tensors[role] ?? []) {
      const expected = (await folder.tensor(one, role, name)) as HostNumbers;
      const tolerance = folder.tolerance(one, role, name);
      const { deviation, mismatch } = compare(`${role}/${name}`, computed.get(`${role}/${name}`), expected, tolerance);
      tensors++;
      const share = deviation === 0 ? 0 : deviation / (tolerance ?? 0);
      if (!(share <= worst)) worst = share;
      if (mismatch !== undefined) mismatches.push(mismatch);
    }
  }
  if (tensors === 0) mismatches.push({ tensor: '', reason: 'the case lists no results to compare' });
  return { tensors, worst, mismatches };
}

async function readAll(computed: Computed): Promise<Map<string, HostNumbers>> {
  await commit(...[...computed.values()].filter((value) => value instanceof Tensor));
  const values = new Map<string, HostNumbers>();
  for (const [name, value] of computed) {
    values.set(name, value instanceof Tensor ? { shape: value.shape, data: await value.data() } : value);
  }
  return values;
}
