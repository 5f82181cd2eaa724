import { type HostArray, PickleObject, TorchTensor } from '@evenkeel/formats';

/** What rebuilds an object whose class travels as source text, which is never looked at. */
export const persistentClass = 'torch_utils.persistence._reconstruct_persistent_obj';
/** A dict of modules; its state is that of a module. */
export const moduleDict = 'torch.nn.modules.container.ModuleDict';

/** The deepest published network has five levels of modules. */
const mostLevels = 32;

/** An object of published code: the name of its class, and its attributes. */
export interface PersistentObject {
  readonly className: string;
  readonly state: ReadonlyMap<unknown, unknown>;
}

/** @throws when a value is no such object; `what` names it. */
export function persistentObject(value: unknown, what: string): PersistentObject {
  const [facts] = value instanceof PickleObject && value.name === persistentClass ? value.args : [];
  const [className, state] = facts instanceof Map ? [facts.get('class_name'), facts.get('state')] : [];
  if (typeof className !== 'string' || !(state instanceof Map))
    throw new Error(`${what} is no object of published code`);
  return { className, state };
}

/** A dict among the attributes of an object. @throws when it is missing. */
export function dictOf(state: ReadonlyMap<unknown, unknown>, attribute: string, what: string): Map<unknown, unknown> {
  const dict = state.get(attribute);
  if (!(dict instanceof Map)) throw new Error(`${what} has no dict ${attribute}`);
  return dict;
}

/** What {@link stateOfModule} gives. */
export interface ModuleState {
  readonly values: ReadonlyMap<string, HostArray>;
  /** Names of those that are not trained. */
  readonly buffers: readonly string[];
}

/**
 * Parameters and buffers of a module and of those in it, by path, in the order of PyTorch's state dicts.
 *
 * @param mostBytes what all of them may take together: no more than the file has
 * @throws when the tree has another form, holds itself, or repeats storages until it is larger than its file.
 */
export function stateOfModule(module: PersistentObject, mostBytes: number): ModuleState {
  const values = new Map<string, HostArray>();
  const buffers: string[] = [];
  const seen = new Set<unknown>();
  let bytes = 0;

  const addTensor = (path: string, tensor: unknown): void => {
    if (!(tensor instanceof TorchTensor)) throw new Error(`${path} is no tensor`);
    bytes += tensor.byteLength;
    if (bytes > mostBytes) throw new Error('its tensors take more bytes than the file has');
    values.set(path, tensor.hostArray({}, path));
  };
  const addModule = (path: string, state: ReadonlyMap<unknown, unknown>, level: number): void => {
    const name = path === '' ? 'the network' : path;
    if (seen.has(state)) throw new Error(`${name} stands in two places`);
    if (level > mostLevels) throw new Error(`${name} has more than ${mostLevels} modules around it`);
    seen.add(state);
    const passing = state.get('_non_persistent_buffers_set');
    const isSaved = (key: unknown): boolean => !(passing instanceof Set && passing.has(key));
    const children = (attribute: string): [string, unknown][] =>
      [...dictOf(state, attribute, name)]
        .filter(([, value]) => value !== null)
        .map(([key, value]) => [path === '' ? String(key) : `${path}.${key}`, value]);
    for (const [child, value] of children('_parameters')) addTensor(child, value);
    for (const [child, value] of children('_buffers').filter(([key]) => isSaved(key.slice(key.lastIndexOf('.') + 1)))) {
      addTensor(child, value);
      buffers.push(child);
    }
    for (const [child, value] of children('_modules')) addModule(child, stateOf(value, child), level + 1);
  };
  addModule('', module.state, 0);
  return { values, buffers };
}

function stateOf(value: unknown, path: string): ReadonlyMap<unknown, unknown> {
  const isDict = value instanceof PickleObject && value.name === moduleDict;
  const state = isDict ? value.state : persistentObject(value, path).state;
  if (!(state instanceof Map)) throw new Error(`${path} has no attributes`);
  return state;
}
