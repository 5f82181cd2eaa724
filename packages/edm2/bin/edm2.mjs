#!/usr/bin/env node
// Stands beside `dist/` so that npm can link it before anything is built.
import { existsSync } from 'node:fs';

const program = new URL('../dist/cli.js', import.meta.url);
if (existsSync(program)) await import(program.href);
else {
  process.stderr.write('edm2: not built yet. In the repository, run: npm run build\n');
  process.exitCode = 1;
}
