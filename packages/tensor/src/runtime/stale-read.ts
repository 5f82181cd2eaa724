import { type CallSite, captureCallSite, showCallSite } from './call-site.ts';
import { developmentMode } from './development.ts';

/**
 * A tensor built on an earlier value of a cell (a parameter, an optimizer's state) was read after the cell had been
 * given a new one. The old value is gone, and the new one is not what the tensor means.
 *
 * @example
 * using weight = new State(tensor([1, 2]), { path: 'weight' });
 * const early = weight.value.sum();
 * weight.assign(tensor([3, 4]));
 * await commit();
 * await early.item().catch((error) => error instanceof StaleReadError); // true, early.item() throws
 */
export class StaleReadError extends Error {
  override readonly name = 'StaleReadError';
  /** Path of the cell. */
  readonly path: string;

  constructor(path: string, sites: VersionSites | undefined) {
    super(
      `${path}: a tensor built on an overwritten value is read. The value was read at ${showCallSite(sites?.read)} and overwritten at ${showCallSite(sites?.overwritten)}${sites?.isEarlier ? ' (so it was at an earlier value)' : ''}. Read the tensor before the commit, together with it (commit(t)), or build it anew`,
    );
    this.path = path;
  }
}

/** Where one version of a cell was first read, and where it was overwritten. */
export interface VersionSites {
  read?: CallSite | undefined;
  overwritten?: CallSite | undefined;
  /** Whether these are the sites of an earlier version than was asked for. */
  isEarlier?: boolean;
}

/** First versions whose call sites are all recorded. Later ones are sampled: the steps of a loop are alike, and a call site takes microseconds. */
const recordedVersions = 16;

/**
 * Call sites of a cell's latest versions. A call site holds on to the closures on its stack, and these to the graph of
 * their step: only few are kept, and by the cell rather than by the nodes, which would chain all steps together.
 */
export class VersionLog {
  readonly #sites = new Map<number, VersionSites>();

  /** Notes that user code reads a version here; only the first time is kept. */
  noteRead(version: number): void {
    if (!isRecorded(version) || !developmentMode() || this.#sites.get(version)?.read !== undefined) return;
    this.#of(version).read = captureCallSite();
  }

  /** Notes that a version gets overwritten, here unless said otherwise. */
  noteOverwrite(version: number, site?: CallSite): void {
    if (!isRecorded(version)) return;
    const overwritten = site ?? captureCallSite();
    if (overwritten !== undefined) this.#of(version).overwritten = overwritten;
  }

  /** The sites of a version, or of the nearest one before it that was recorded. */
  of(version: number): VersionSites | undefined {
    const exact = this.#sites.get(version);
    if (exact !== undefined) return exact;
    const earlier = [...this.#sites.keys()].findLast((recorded) => recorded < version);
    return earlier === undefined ? undefined : { ...this.#sites.get(earlier), isEarlier: true };
  }

  #of(version: number): VersionSites {
    let sites = this.#sites.get(version);
    if (sites === undefined) {
      sites = {};
      this.#sites.set(version, sites);
      if (this.#sites.size > 4) this.#sites.delete(this.#sites.keys().next().value as number);
    }
    return sites;
  }
}

function isRecorded(version: number): boolean {
  return version < recordedVersions || version % recordedVersions === 0;
}
