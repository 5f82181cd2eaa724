import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { compareSettings, type RunSettings } from './run-settings.ts';

const optionsFile = 'training_options.json';

/** Writes what a run is told. */
export async function writeSettings(folder: string, settings: RunSettings): Promise<void> {
  await writeFileAtomically(join(folder, optionsFile), `${JSON.stringify(settings, undefined, 2)}\n`);
}

/**
 * Compares with the settings that the folder's run has. Gives a line for each that makes the rest another than it would be.
 *
 * @throws where the folder holds another run.
 */
export async function checkSameRun(folder: string, settings: RunSettings): Promise<readonly string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  // A run that failed before it came to anything is no run.
  const hasResults = names.some((name) => /^(training-state|network-snapshot)-/.test(name));
  if (!hasResults || !names.includes(optionsFile)) return [];
  const text = await readFile(join(folder, optionsFile), 'utf8');
  let before: Partial<RunSettings>;
  try {
    before = JSON.parse(text) as Partial<RunSettings>;
  } catch {
    throw new Error(`training: ${join(folder, optionsFile)} is no JSON. Remove it, or choose another folder`);
  }
  const { refused, warnings } = compareSettings(before, settings);
  if (refused.length > 0) {
    throw new Error(
      `training: ${folder} holds a run of other options: ${refused.join('; ')}. Choose another folder, or the options of that run`,
    );
  }
  return warnings;
}

/** Parts of files that a killed process was writing. */
export async function removeLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder).catch((): string[] => []);
  const own = /^\.(training-state|network-snapshot|samples|stats|training_options)[-.].*\.tmp$/;
  for (const name of names) if (own.test(name)) await rm(join(folder, name), { force: true });
}
