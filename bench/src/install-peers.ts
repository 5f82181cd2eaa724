import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Installs the libraries that the bench compares with into its own folder, the first time: 500 MB that nobody else should
 * have to load. Their install scripts do not run. Without a registry at hand, the bench goes on without them.
 */
export async function installPeers(folder: string, print: (line: string) => void): Promise<void> {
  if (existsSync(join(folder, 'node_modules', '.package-lock.json'))) return;
  print('installing the libraries to compare with, once: 500 MB (--peers none does without)');
  const { status, stderr } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status !== 0) print(`that failed: ${stderr?.trim().split('\n').at(-1) ?? 'npm was not found'}`);
}
