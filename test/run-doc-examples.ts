import { pathToFileURL } from 'node:url';
import { currentBackend, developmentMode, setBackend, setDevelopmentMode } from '@evenkeel/tensor';

/**
 * The process in which examples run, one after the other: argument by argument a module. Sends `{ module, complaint }`
 * for each, `complaint` being empty for one that ran to its end without a warning.
 */
const backend = currentBackend();
const development = developmentMode();
const warnings: string[] = [];
console.warn = (message: string) => {
  // Comes when the collector happens to run, and in examples that leave `using` out for brevity.
  if (!message.includes('was dropped without dispose()')) warnings.push(message);
};

for (const module of process.argv.slice(2)) {
  let complaint = '';
  try {
    await import(pathToFileURL(module).href);
  } catch (error) {
    complaint = error instanceof Error ? `${error.stack}` : String(error);
  }
  const message = { module, complaint: [complaint, ...warnings.splice(0)].filter(Boolean).join('\n') };
  await new Promise((sent) => process.send?.(message, sent));
  if (currentBackend() !== backend) {
    await currentBackend().dispose();
    setBackend(backend);
  }
  setDevelopmentMode(development);
}
process.disconnect?.();
