import { type AddressSpace, sizeOf } from './address-space.ts';

interface User {
  readonly scratchBytes: number;
}

/** Scratch memory that all plans share, one after the other: as large as the largest of them. */
export class ScratchArena {
  readonly #space: AddressSpace;
  readonly #users = new Set<User>();
  #at = 0;
  #bytes = 0;

  constructor(space: AddressSpace) {
    this.#space = space;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that will be missing when all that are expected, and `user`, have come. */
  missing(user?: User): number {
    const wanted = [...this.#users].map(({ scratchBytes }) => scratchBytes);
    return sizeOf(Math.max(this.#bytes, user?.scratchBytes ?? 0, ...wanted)) - sizeOf(this.#bytes);
  }

  expect(user: User): void {
    this.#users.add(user);
  }

  /** Address of enough memory for `user`, until the next call; undefined where there is no room. */
  reserve(user: User): number | undefined {
    if (user.scratchBytes > this.#bytes && !this.#resize(user.scratchBytes)) return undefined;
    return this.#at;
  }

  /** `user` comes no more; memory that only it needed is given up. */
  release(user: User): void {
    this.#users.delete(user);
    const largest = Math.max(0, ...[...this.#users].map(({ scratchBytes }) => scratchBytes));
    if (largest < this.#bytes) this.#resize(largest);
  }

  #resize(bytes: number): boolean {
    if (this.#bytes > 0) this.#space.free(this.#at, this.#bytes);
    const at = bytes > 0 ? this.#space.allocate(bytes) : 0;
    this.#bytes = at === undefined ? 0 : bytes;
    this.#at = at ?? 0;
    return at !== undefined;
  }
}
