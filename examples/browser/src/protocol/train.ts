import type { BackendName, Computes } from './backend.ts';

/** What is learned: the density of a tree in the plane, or emoji. */
export type TrainTask = 'toy' | 'emoji16';

export interface TrainSettings {
  readonly backend: BackendName;
  readonly task: TrainTask;
  /** Features of a hidden layer, or channels of the network's first level. */
  readonly width: number;
  /** Points or pictures of a step. */
  readonly batchSize: number;
  /** Steps until it pauses by itself; going on takes it as many further. */
  readonly steps: number;
  readonly seed: number;
}

export type TrainRequest =
  | { readonly type: 'start'; readonly run: number; readonly settings: TrainSettings }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  /** Ends the run; what it has learned is gone. */
  | { readonly type: 'end' }
  /** Asks for the averages of the weights as files. */
  | { readonly type: 'snapshots' };

/** The density that points are to follow, row by row from the top. */
export interface Density {
  readonly columns: number;
  readonly rows: number;
  /** Logarithms. */
  readonly values: Float32Array<ArrayBuffer>;
  readonly view: PlaneView;
}

/** A square of the plane. */
export interface PlaneView {
  readonly left: number;
  readonly bottom: number;
  readonly side: number;
}

/** What a network makes at some time of its training. */
export type Look =
  | { readonly kind: 'points'; readonly points: Float32Array<ArrayBuffer> }
  | {
      readonly kind: 'pictures';
      readonly rgba: Uint8ClampedArray<ArrayBuffer>;
      readonly captions: readonly string[];
      readonly resolution: number;
    };

/** Root mean squares of each layer. */
export interface Magnitudes {
  readonly activations: readonly number[];
  readonly weights: readonly number[];
}

/** A file of weights. */
export interface SnapshotFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export type TrainReply =
  /** Comes first: what the toy is to learn. */
  | { readonly type: 'ready'; readonly density: Density }
  | {
      readonly type: 'started';
      readonly run: number;
      readonly computes: Computes;
      readonly parameters: number;
    }
  /** Losses of the steps since the last such message; `step` is the last of them. */
  | {
      readonly type: 'steps';
      readonly run: number;
      readonly step: number;
      readonly losses: readonly number[];
      readonly stepsPerSecond: number | undefined;
    }
  | { readonly type: 'magnitudes'; readonly run: number; readonly step: number; readonly magnitudes: Magnitudes }
  | { readonly type: 'look'; readonly run: number; readonly step: number; readonly look: Look }
  | { readonly type: 'paused'; readonly run: number; readonly step: number }
  | { readonly type: 'resumed'; readonly run: number }
  | { readonly type: 'ended'; readonly run: number }
  | { readonly type: 'snapshots'; readonly run: number; readonly files: readonly SnapshotFile[] }
  | { readonly type: 'failed'; readonly run: number; readonly reason: string };
