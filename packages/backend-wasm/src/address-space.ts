const ALIGNMENT = 64;
/** Addresses below are never given out. */
const START = 1024;

interface Hole {
  at: number;
  bytes: number;
}

/** Which parts of a backend's one memory are in use. */
export class AddressSpace {
  /** Most bytes that are given out. */
  readonly limit: number;
  readonly #reach: (end: number) => boolean;
  /** Free parts below the end, by address; no two of them touch. */
  readonly #holes: Hole[] = [];
  #end = START;
  #used = 0;

  /** @param reach makes the memory reach to an address; false where the machine has no more. */
  constructor(limit: number, reach: (end: number) => boolean) {
    this.limit = limit;
    this.#reach = reach;
  }

  /** Bytes in use. */
  get used(): number {
    return this.#used;
  }

  /** Address of `bytes` new bytes, a multiple of 64; undefined where there is no room. */
  allocate(bytes: number): number | undefined {
    const size = sizeOf(bytes);
    const number = this.#holes.findIndex((hole) => hole.bytes >= size);
    const hole = this.#holes[number];
    if (hole) {
      const { at } = hole;
      hole.at += size;
      hole.bytes -= size;
      if (hole.bytes === 0) this.#holes.splice(number, 1);
      this.#used += size;
      return at;
    }
    // Vectors are read up to 16 bytes behind the last element.
    if (this.#end + size > START + this.limit || !this.#reach(this.#end + size + ALIGNMENT)) return undefined;
    const at = this.#end;
    this.#end += size;
    this.#used += size;
    return at;
  }

  free(at: number, bytes: number): void {
    const size = sizeOf(bytes);
    this.#used -= size;
    let number = this.#holes.findIndex((hole) => hole.at > at);
    if (number < 0) number = this.#holes.length;
    this.#holes.splice(number, 0, { at, bytes: size });
    this.#join(number);
    this.#join(number - 1);
    const last = this.#holes.at(-1);
    if (last && last.at + last.bytes === this.#end) {
      this.#end = last.at;
      this.#holes.pop();
    }
  }

  /** Makes one hole of hole `number` and the next if they touch. */
  #join(number: number): void {
    const [hole, next] = [this.#holes[number], this.#holes[number + 1]];
    if (!hole || !next || hole.at + hole.bytes !== next.at) return;
    hole.bytes += next.bytes;
    this.#holes.splice(number + 1, 1);
  }
}

/** Bytes that a part of so many bytes takes. */
export function sizeOf(bytes: number): number {
  return Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
}
