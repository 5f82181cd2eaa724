// What reads and writes files: for Node, where the main entry also runs in browsers.
export { type NetworkWeights, readNetwork, readWeights, type StoredNetwork } from './read-network.ts';
export type { SnapshotChoice } from './snapshot-folder.ts';
