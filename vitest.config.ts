import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { TestCountReporter } from './scripts/test-count-reporter.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));

// Tests run from sources: tsconfig.base.json holds the one table of package names and their entry files.
const { compilerOptions } = JSON.parse(readFileSync(`${root}/tsconfig.base.json`, 'utf8')) as {
  compilerOptions: { paths: Record<string, [string]> };
};
const alias = Object.entries(compilerOptions.paths).map(([name, [path]]) => ({
  find: new RegExp(`^${name}$`),
  replacement: fileURLToPath(new URL(path, import.meta.url)),
}));

const shared = {
  resolve: { alias },
  // Down-levels `using`, as the build does: Node 20 does not parse it.
  esbuild: { target: 'es2022' },
} as const;

/** A busy machine takes many times as long as an idle one: only what hangs should fail. */
const timeouts = { testTimeout: 180_000, hookTimeout: 120_000 } as const;

const packages = readdirSync(`${root}/packages`);

export default defineConfig({
  ...shared,
  test: {
    reporters: ['default', new TestCountReporter()],
    projects: [
      ...packages.map((name) => ({
        ...shared,
        test: {
          name,
          root: `${root}/packages/${name}`,
          include: ['test/**/*.test.ts'],
          exclude: ['test/browser/**'],
          ...timeouts,
        },
      })),
      // Needs Chromium: `npm run test:browser`.
      {
        ...shared,
        test: {
          name: 'browser',
          root,
          include: ['packages/*/test/browser/**/*.test.ts', 'examples/*/test/browser/**/*.test.ts'],
          ...timeouts,
        },
      },
      {
        ...shared,
        test: {
          name: 'root',
          root,
          include: ['test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'bench/test/**/*.test.ts'],
          exclude: ['examples/*/test/browser/**'],
          ...timeouts,
        },
      },
    ],
  },
});
