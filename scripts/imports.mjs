/**
 * @typedef {object} Import
 * @property {string} specifier what stands between the quotes
 * @property {boolean} typeOnly whether the statement vanishes from the JavaScript
 */

const statement = /^[ \t]*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s*)?['"]([^'"\n]+)['"]/gm;
const call = /(\btypeof\s+)?\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g;
const comment = /^[ \t]*\/\/.*$|^[ \t]*\/\*[\s\S]*?\*\//gm;

/**
 * The modules that a TypeScript source names in `import`, `export ... from` and `import(...)`. Comments are skipped:
 * doc comments hold examples.
 *
 * @param {string} source
 * @returns {Import[]}
 */
export function importsOf(source) {
  const code = source.replace(comment, '');
  const statements = [...code.matchAll(statement)].map((m) => ({
    specifier: m[2] ?? '',
    typeOnly: m[1] !== undefined,
  }));
  const calls = [...code.matchAll(call)].map((m) => ({ specifier: m[2] ?? '', typeOnly: m[1] !== undefined }));
  return [...statements, ...calls];
}
