/** A class, or a vector. */
export type Label = number | readonly number[];

/** More classes than any data set has: a larger label is a mistake, and one-hot rows would not fit memory. */
const mostClasses = 2 ** 20;

/**
 * The labels in a `dataset.json`, `{"labels": [[path, label], ...]}`, by path; null where it says that there are none.
 *
 * @throws Error, one line that starts with `where`, when it has another form.
 */
export function readLabelFile(bytes: Uint8Array, where: string): Map<string, Label> | null {
  const fail = (message: string): Error => new Error(`${where}: dataset.json ${message}`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw fail('is not JSON. Is it cut off?');
  }
  const labels = (json as { labels?: unknown } | null)?.labels;
  if (labels === undefined || labels === null) return null;
  if (!Array.isArray(labels)) throw fail("has 'labels' that are no list of [path, label]");
  const found = new Map<string, Label>();
  for (const entry of labels as unknown[]) {
    const [path, label] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof path !== 'string') throw fail(`has the entry ${shown(entry)}, which is no [path, label]`);
    if (!isLabel(label)) {
      throw fail(
        `gives ${JSON.stringify(path)} the label ${shown(label)}. Labels are whole numbers from 0, or vectors`,
      );
    }
    if (typeof label === 'number' && label >= mostClasses) {
      throw fail(`gives ${JSON.stringify(path)} the label ${label}, above the limit of ${mostClasses - 1}`);
    }
    found.set(path.replaceAll('\\', '/'), label);
  }
  return found;
}

function isLabel(label: unknown): label is Label {
  if (Array.isArray(label)) return label.length > 0 && label.every((value) => Number.isFinite(value));
  return typeof label === 'number' && Number.isInteger(label) && label >= 0;
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'undefined').slice(0, 80);
}

/** What networks see of labels. */
export interface LabelTable {
  readonly labelDim: number;
  readonly label: (index: number) => number | Float32Array;
}

/**
 * The labels of these files, all classes or all vectors. The number of classes is the largest label and one.
 *
 * @throws Error, one line that starts with `where`, when a file has none, or they do not go together.
 */
export function labelTable(names: readonly string[], labels: ReadonlyMap<string, Label>, where: string): LabelTable {
  const fail = (message: string): Error => new Error(`${where}: ${message}`);
  const missing = names.filter((name) => !labels.has(name));
  if (missing.length > 0) {
    const more = missing.length > 1 ? ` (and ${missing.length - 1} more)` : '';
    throw fail(`dataset.json has no label for ${JSON.stringify(missing[0])}${more}`);
  }
  const all = names.map((name) => labels.get(name) as Label);
  const first = all[0] as Label;
  const odd = all.findIndex((label) => lengthOf(label) !== lengthOf(first));
  if (odd !== -1) {
    throw fail(
      `the label of ${JSON.stringify(names[odd])} is ${kindOf(all[odd] as Label)}, of ${JSON.stringify(names[0])} ${kindOf(first)}`,
    );
  }
  if (typeof first === 'number') {
    const classes = Uint32Array.from(all as number[]);
    const labelDim = classes.reduce((largest, label) => Math.max(largest, label), 0) + 1;
    return { labelDim, label: (index) => classes[index]! };
  }
  const labelDim = first.length;
  const vectors = Float32Array.from((all as number[][]).flat());
  return { labelDim, label: (index) => vectors.subarray(index * labelDim, (index + 1) * labelDim) };
}

/** -1 for classes. */
function lengthOf(label: Label): number {
  return typeof label === 'number' ? -1 : label.length;
}

function kindOf(label: Label): string {
  return typeof label === 'number' ? 'a class' : `a vector of ${label.length}`;
}
