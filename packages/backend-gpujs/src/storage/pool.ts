import type { DeviceArray, Form, Storage } from './storage.ts';

/** How much waits at most. */
export interface Kept {
  readonly arrays: number;
  readonly floats: number;
}

/** Arrays that come and go: what is free is kept by its size, since a plan that is replayed wants the same ones again. */
export class Pool {
  readonly #storage: Storage;
  readonly #free = new Map<string, DeviceArray[]>();
  /** Most that is kept free. */
  readonly #keep: Kept;
  #freeFloats = 0;
  #freeArrays = 0;
  #live = 0;

  constructor(storage: Storage, keep: Kept) {
    this.#storage = storage;
    this.#keep = keep;
  }

  /** Arrays in use. */
  get live(): number {
    return this.#live;
  }

  /** Arrays that wait to be used again. */
  get idle(): number {
    return this.#freeArrays;
  }

  /** What it holds is of no account. @throws where there is no memory. */
  take(length: number, form: Form): DeviceArray {
    const known = this.#free.get(`${form} ${length}`)?.pop();
    if (known) this.#count(known, -1);
    const array = known ?? this.#create(length, form);
    this.#live++;
    return array;
  }

  give(array: DeviceArray): void {
    const { length, form } = array;
    const key = `${form} ${length}`;
    const list = this.#free.get(key) ?? [];
    list.push(array);
    // The size that was wanted last comes last.
    this.#free.delete(key);
    this.#free.set(key, list);
    this.#live--;
    this.#count(array, 1);
    for (const [oldest, arrays] of this.#free) {
      while (this.#isFull && arrays.length > 0) this.#destroy(arrays.pop() as DeviceArray);
      if (arrays.length === 0) this.#free.delete(oldest);
      if (!this.#isFull) break;
    }
  }

  clear(): void {
    for (const list of this.#free.values()) for (const array of list) this.#destroy(array);
    this.#free.clear();
  }

  get #isFull(): boolean {
    return this.#freeFloats > this.#keep.floats || this.#freeArrays > this.#keep.arrays;
  }

  #count({ length }: DeviceArray, by: 1 | -1): void {
    this.#freeFloats += by * length;
    this.#freeArrays += by;
  }

  #destroy(array: DeviceArray): void {
    this.#count(array, -1);
    this.#storage.destroy(array);
  }

  /** Where there is no memory left, there is what is kept free. */
  #create(length: number, form: Form): DeviceArray {
    const { limit } = this.#storage;
    if (length > limit.length) throw new Error(`${length} numbers are above the limit of ${limit.what}`);
    try {
      return this.#storage.create(length, form);
    } catch (error) {
      if (this.#freeArrays === 0) throw error;
      this.clear();
      return this.#storage.create(length, form);
    }
  }
}
