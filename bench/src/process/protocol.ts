import type { InputFile, Task } from '../work/task.ts';

/** What the bench asks of an implementation's process, one JSON text a line on its standard input. */
export type Request =
  /** Load inputs, compute once, write each result to its file. */
  | { readonly ask: 'prepare'; readonly task: Task; readonly inputs: readonly InputFile[]; readonly results: string }
  /** Run again and again for so long. */
  | { readonly ask: 'measure'; readonly milliseconds: number }
  /** Let go of what was prepared. */
  | { readonly ask: 'release' };

/** What it answers, one line on its standard output, after {@link answerMark}; other lines are chatter. */
export type Answer =
  /** At start: what it is. */
  | { readonly is: 'ready'; readonly about: Readonly<Record<string, string>> }
  /** Result i is in `<results>-<i>.f32`. */
  | {
      readonly is: 'prepared';
      readonly results: number;
      readonly firstMilliseconds: number;
      readonly note?: string;
      /** Of a run, by the device's own clock. */
      readonly deviceMilliseconds?: number;
    }
  /** It cannot do this. */
  | { readonly is: 'unsupported'; readonly reason: string }
  | { readonly is: 'failed'; readonly reason: string }
  /** Milliseconds of single runs. */
  | { readonly is: 'measured'; readonly samples: readonly number[] }
  | { readonly is: 'released' };

export const answerMark = '@@';
