import { type State, Tensor } from '@evenkeel/tensor';

/** Values by path: what {@link Module.stateDict} gives and `@evenkeel/formats` writes and reads. */
export type StateDict = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>;

/** Options of {@link Module.loadStateDict}. */
export interface LoadOptions {
  /** Whether missing and unexpected names are errors; wrong shapes always are. @defaultValue true */
  readonly strict?: boolean;
}

/** Names that did not find their partner; both empty after a strict load. */
export interface LoadReport {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

/** Assigns `dict` to `states` by name: everything is checked first, so that either all of it is assigned or nothing. */
export function loadStates(
  where: string,
  states: ReadonlyMap<string, State>,
  dict: StateDict,
  options: LoadOptions = {},
): LoadReport {
  const given = dict instanceof Map ? (dict as ReadonlyMap<string, Tensor>) : new Map(Object.entries(dict));
  const missing = [...states.keys()].filter((name) => !given.has(name));
  const unexpected = [...given.keys()].filter((name) => !states.has(name));
  const misfits: string[] = [];
  const assignments: (() => void)[] = [];
  for (const [name, state] of states) {
    const value = given.get(name);
    if (value === undefined) continue;
    const misfit = misfitOf(value, state);
    if (misfit !== undefined) misfits.push(`${name} ${misfit}`);
    else assignments.push(() => state.assign(value.dtype === state.dtype ? value : value.cast(state.dtype)));
  }
  const strict = options.strict ?? true;
  const complaints = [
    ...(strict && missing.length > 0 ? [`missing ${list(missing)}`] : []),
    ...(strict && unexpected.length > 0 ? [`unexpected ${list(unexpected)}`] : []),
    ...(misfits.length > 0 ? [`misfit ${list(misfits)}`] : []),
  ];
  if (complaints.length > 0) {
    const hint =
      misfits.length > 0
        ? 'Was it saved from a model of other options?'
        : 'Pass { strict: false } to load the names that fit';
    throw new Error(`loadStateDict: state dict does not fit ${where}: ${complaints.join('; ')}. ${hint}`);
  }
  for (const assign of assignments) assign();
  return { missing, unexpected };
}

function misfitOf(value: unknown, state: State): string | undefined {
  if (!(value instanceof Tensor)) return `is not a Tensor but ${value === null ? 'null' : typeof value}`;
  if (value.shape.length !== state.shape.length || value.shape.some((size, axis) => size !== state.shape[axis])) {
    return `is [${value.shape.join(', ')}], should be [${state.shape.join(', ')}]`;
  }
  const castable = value.dtype.startsWith('float') && state.dtype.startsWith('float');
  if (value.dtype !== state.dtype && !castable) return `is ${value.dtype}, should be ${state.dtype}`;
  return undefined;
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 8).join(', ');
  return `(${names.length}): ${shown}${names.length > 8 ? `, and ${names.length - 8} more` : ''}`;
}
