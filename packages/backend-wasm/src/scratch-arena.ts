import { type AddressSpace, sizeOf } from './address-space.ts';

/** What a plan's runs need: memory to work in, and a header, which a run has to itself while others are under way. */
interface User {
  readonly layout: { readonly bytes: number; readonly header: { readonly bytes: number } };
}

/** Runs that may be under way at a time. */
const HEADERS = 2;

/**
 * Scratch memory that all plans share, one after the other: as large as the largest of them. Behind it are the headers of
 * the run that is under way and of the next.
 */
export class ScratchArena {
  readonly #space: AddressSpace;
  readonly #users = new Set<User>();
  #at = 0;
  #bytes = 0;
  #headerBytes = 0;
  #turn = 0;

  constructor(space: AddressSpace) {
    this.#space = space;
  }

  get bytes(): number {
    return this.#bytes + HEADERS * this.#headerBytes;
  }

  /** Bytes that will be missing when all that are expected, and `user`, have come. */
  missing(user?: User): number {
    const { bytes, headerBytes } = this.#wanted([...this.#users, ...(user ? [user] : [])]);
    const all = Math.max(bytes, this.#bytes) + HEADERS * Math.max(headerBytes, this.#headerBytes);
    return sizeOf(all) - sizeOf(this.bytes);
  }

  expect(user: User): void {
    this.#users.add(user);
  }

  /** Whether there is enough memory for `user` as it is. */
  holds({ layout }: User): boolean {
    return layout.bytes <= this.#bytes && layout.header.bytes <= this.#headerBytes;
  }

  /**
   * Addresses of enough memory for `user`, until the next call, and of a header, until the next but one; undefined where
   * there is no room. Unless it `holds` the user, no run may be under way.
   */
  reserve(user: User): { readonly scratch: number; readonly header: number } | undefined {
    if (!this.holds(user)) {
      const bytes = Math.max(this.#bytes, user.layout.bytes);
      if (!this.#resize(bytes, Math.max(this.#headerBytes, user.layout.header.bytes))) return undefined;
    }
    this.#turn = (this.#turn + 1) % HEADERS;
    return { scratch: this.#at, header: this.#at + this.#bytes + this.#turn * this.#headerBytes };
  }

  /** `user` comes no more; memory that only it needed is given up. */
  release(user: User): void {
    this.#users.delete(user);
    const { bytes, headerBytes } = this.#wanted([...this.#users]);
    if (bytes < this.#bytes || headerBytes < this.#headerBytes) {
      this.#resize(Math.min(bytes, this.#bytes), Math.min(headerBytes, this.#headerBytes));
    }
  }

  #wanted(users: readonly User[]): { bytes: number; headerBytes: number } {
    return {
      bytes: Math.max(0, ...users.map(({ layout }) => layout.bytes)),
      headerBytes: Math.max(0, ...users.map(({ layout }) => layout.header.bytes)),
    };
  }

  #resize(bytes: number, headerBytes: number): boolean {
    if (this.bytes > 0) this.#space.free(this.#at, this.bytes);
    const all = bytes + HEADERS * headerBytes;
    const at = all > 0 ? this.#space.allocate(all) : 0;
    [this.#bytes, this.#headerBytes] = at === undefined ? [0, 0] : [bytes, headerBytes];
    this.#at = at ?? 0;
    return at !== undefined;
  }
}
