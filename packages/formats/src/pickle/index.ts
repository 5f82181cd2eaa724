export { type PickleReadOptions, readPickle } from './read-pickle.ts';
export { type PickleConstructor, PickleGlobal, type PickleKey, PickleObject } from './value.ts';
