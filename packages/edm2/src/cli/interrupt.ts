import type { ProgressLine } from './progress-line.ts';

/** The first Ctrl-C (or SIGTERM) asks to stop after the step under way; a second one leaves at once. */
export function onInterrupt(line: ProgressLine): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
    line.print('stopping after this step; Ctrl-C again to leave at once');
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

/** SIGUSR1 asks for a checkpoint: the answer is true once after each. */
export function onCheckpointSignal(): () => boolean {
  let isWanted = false;
  // Not on Windows, which does not know it.
  if (process.platform !== 'win32') process.on('SIGUSR1', () => (isWanted = true));
  return () => {
    const answer = isWanted;
    isWanted = false;
    return answer;
  };
}
