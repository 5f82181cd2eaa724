import type { HostArray } from '../types/dtype.ts';
import { deferred } from './deferred.ts';
import { Execution, type LaunchRequest, ownerOf } from './execution.ts';
import { launches } from './queue.ts';
import { RunRecord } from './run-record.ts';

/** A run under way or waiting. */
export interface Launched {
  readonly record: RunRecord;
  /** Fulfils when the work is handed over. */
  readonly submitted: Promise<void>;
  /** Host copies, for takers 'host'; in the order of the outputs. */
  readonly host: readonly (Promise<HostArray> | undefined)[];
}

/** Asks for a run. What it writes counts as written from now on; the work happens in the order of asking. */
export function launch(request: LaunchRequest): Launched {
  const { program, takers, updated } = request;
  const leaves = program.leaves.map((leaf) => request.bindings?.get(leaf) ?? leaf);
  const reads = new Set<RunRecord>();
  const owners = leaves.map(ownerOf);
  for (const owner of owners) if (owner?.writer !== undefined) reads.add(owner.writer);
  const finished = deferred<undefined>();
  const record = new RunRecord(finished.promise, [...reads]);
  for (const owner of updated) owner.writer = record;
  for (const taker of takers) if (taker !== 'host') taker.writer = record;
  for (const { to } of request.hostWrites ?? []) to.writer = record;
  const host = takers.map((taker) => (taker === 'host' ? deferred<HostArray>() : undefined));

  const submitted = launches.enqueue(async () => {
    try {
      for (const run of reads) if (run.failure !== undefined) throw run.failure;
      await new Execution(request, { leaves, owners, record, finished, host }).run();
    } catch (error) {
      finished.reject(error);
      for (const result of host) result?.reject(error);
      throw error;
    }
  });
  submitted.catch(() => undefined);
  return { record, submitted, host: host.map((result) => result?.promise) };
}
