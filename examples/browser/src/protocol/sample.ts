import type { BackendName, Computes, Missing } from './backend.ts';

/** Where weights come from: a file of the user's, or an address. */
export type WeightsSource = { readonly file: File } | { readonly url: string };

/** One stored file of weights. */
export interface StoredWeights {
  readonly id: number;
  readonly file: string;
  /** Images that the network had seen; undefined where the file does not say. */
  readonly images: number | undefined;
  /** Length of the average; undefined where the file does not say. */
  readonly std: number | undefined;
}

/** Files of one training run: averages of one network. */
export interface NetworkCard {
  readonly id: number;
  readonly title: string;
  readonly resolution: number;
  readonly channels: number;
  /** Names of the classes; numbers where names are not known, none where the network has no classes. */
  readonly classes: readonly string[];
  readonly parameters: number;
  readonly files: readonly StoredWeights[];
  /** Images seen at the latest time that there are files of. */
  readonly images: number | undefined;
  /** Lengths of averages that can be had at that time: stored ones, and what can be made of them. Ascending. */
  readonly lengths: readonly number[];
}

/** What to paint. */
export interface SampleSettings {
  readonly backend: BackendName;
  readonly network: number;
  /** Length of the average, one of the card's; undefined where the file does not say. */
  readonly std: number | undefined;
  /** The file to move away from, and how far: 1 is not at all. */
  readonly guide: number | undefined;
  readonly guidance: number;
  readonly steps: number;
  /** One picture a seed. */
  readonly seeds: readonly number[];
  /** Class of each picture; empty where the network has no classes. */
  readonly classes: readonly number[];
}

export type SampleRequest =
  | { readonly type: 'open'; readonly id: number; readonly source: WeightsSource }
  | { readonly type: 'sample'; readonly run: number; readonly settings: SampleSettings }
  | { readonly type: 'stop' };

export type SampleReply =
  | { readonly type: 'ready'; readonly missing: Missing }
  | { readonly type: 'networks'; readonly networks: readonly NetworkCard[] }
  /** The file of an `open` with that id, and its network. */
  | { readonly type: 'opened'; readonly id: number; readonly name: string; readonly network: number }
  | { readonly type: 'refused'; readonly id: number; readonly reason: string }
  | { readonly type: 'started'; readonly run: number; readonly computes: Computes }
  | SampleStep
  | { readonly type: 'finished'; readonly run: number; readonly stopped: boolean }
  | { readonly type: 'failed'; readonly run: number; readonly reason: string };

/** Pictures after a step; step 0 is the noise that all begins with. */
export interface SampleStep {
  readonly type: 'step';
  readonly run: number;
  readonly step: number;
  readonly steps: number;
  readonly sigma: number;
  /** RGBA of each picture in turn: as it is, noise and all. */
  readonly noisy: Uint8ClampedArray<ArrayBuffer>;
  /** The same as the network thinks that it will end. */
  readonly expected: Uint8ClampedArray<ArrayBuffer>;
  /** Since the run's second step; undefined before. */
  readonly stepsPerSecond: number | undefined;
}
