import type { Node } from '../graph/node.ts';
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
  read?: CallSite;
  overwritten?: CallSite;
}

/** Kept with the nodes, so that they live as long as somebody could read the version. */
const sitesOf = new WeakMap<Node, VersionSites>();

/** The call sites of the version that `node` stands for. */
export function versionSites(node: Node): VersionSites | undefined {
  return sitesOf.get(node);
}

/** Notes that `node` was handed to user code; only the first time of each version is kept. */
export function noteRead(node: Node): void {
  const sites = sitesOf.get(node);
  if (sites?.read !== undefined) return;
  const read = captureCallSite();
  if (read === undefined) return;
  if (sites === undefined) sitesOf.set(node, { read });
  else sites.read = read;
}

/** Notes that the version of `node` gets overwritten, here unless said otherwise. */
export function noteOverwrite(node: Node, overwritten: CallSite | undefined = captureCallSite()): void {
  if (overwritten === undefined) return;
  const sites = sitesOf.get(node);
  if (sites === undefined) sitesOf.set(node, { overwritten });
  else sites.overwritten = overwritten;
}

/** `leaf` stands for the same version as `node`. */
export function shareSites(node: Node, leaf: Node): void {
  if (!developmentMode()) return;
  const sites = sitesOf.get(node) ?? {};
  sitesOf.set(node, sites);
  sitesOf.set(leaf, sites);
}
