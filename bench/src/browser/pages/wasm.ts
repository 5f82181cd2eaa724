// Our own implementation on the processor: given the number of threads.
import { prepare } from '../../evenkeel/prepare.ts';
import { startBackend } from '../../evenkeel/start-backend.ts';
import { openPage } from '../bench-page.ts';

openPage(async ([threads]) => {
  const { backend, launches } = startBackend(Number(threads), 'best');
  return {
    about: { instructions: backend.instructions },
    prepare: (task, inputs) => prepare(task, inputs, launches),
  };
});
