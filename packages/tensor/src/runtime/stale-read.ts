import { type CallSite, captureCallSite, showCallSite } from './call-site.ts';
import { developmentMode } from './development.ts';

/**
 * A tensor built on an earlier value of a cell (a parameter, an optimizer's state) was read after the cell had been
 * given a new one. The old value is gone, and the new one is not what the tensor means.
 */
export class StaleReadError extends Error {
  override readonly name = 'StaleReadError';
  /** Path of the cell. */
  readonly path: string;

  constructor(path: string, sites: VersionSites | undefined) {
    super(
      `${path}: a tensor built on an overwritten value is read. The value was read at ${showCallSite(sites?.read)} and overwritten at ${showCallSite(sites?.overwritten)}. Read the tensor before the commit, together with it (commit(t)), or build it anew`,
    );
    this.path = path;
  }
}

/** Where one version of a cell was first read, and where it was overwritten. */
export interface VersionSites {
  read?: CallSite | undefined;
  overwritten?: CallSite | undefined;
}

/**
 * Call sites of a cell's latest versions. A call site holds on to the closures on its stack, and these to the graph of
 * their step: only few are kept, and by the cell rather than by the nodes, which would chain all steps together.
 */
export class VersionLog {
  readonly #sites = new Map<number, VersionSites>();

  /** Notes that user code reads a version here; only the first time is kept. */
  noteRead(version: number): void {
    if (!developmentMode() || this.#sites.get(version)?.read !== undefined) return;
    this.#of(version).read = captureCallSite();
  }

  /** Notes that a version gets overwritten, here unless said otherwise. */
  noteOverwrite(version: number, site: CallSite | undefined = captureCallSite()): void {
    if (site !== undefined) this.#of(version).overwritten = site;
  }

  of(version: number): VersionSites | undefined {
    return this.#sites.get(version);
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
