/**
 * The bytes of a file of this package's `assets/` folder, or of `folder` (with a slash at its end if it is a URL).
 *
 * @throws Error, one line, naming every place that was tried.
 */
export async function readAsset(name: string, folder?: URL | string): Promise<Uint8Array> {
  const failures: string[] = [];
  for (const candidate of await candidates(folder)) {
    const url = new URL(name, candidate);
    try {
      return url.protocol === 'file:' ? await readLocally(url) : await download(url);
    } catch (error) {
      failures.push(`${url.href} (${error instanceof Error ? error.message.split('\n')[0] : error})`);
    }
  }
  throw new Error(`${name} of @evenkeel/edm2 was not found: ${failures.join(', ')}. Give the folder that holds it`);
}

/** `dist/*.js` stands one folder below the package, `src/data/*.ts` two. */
async function candidates(folder: URL | string | undefined): Promise<(URL | string)[]> {
  if (folder === undefined) return [new URL('../assets/', import.meta.url), new URL('../../assets/', import.meta.url)];
  if (folder instanceof URL || /^\w{2,}:/.test(folder)) return [folder];
  const { pathToFileURL } = (await import(/* @vite-ignore */ nodeModule('url'))) as typeof import('node:url');
  return [`${pathToFileURL(folder).href}/`];
}

async function readLocally(url: URL): Promise<Uint8Array> {
  const { readFile } = (await import(
    /* @vite-ignore */ nodeModule('fs/promises')
  )) as typeof import('node:fs/promises');
  return readFile(url);
}

async function download(url: URL): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** A name that bundlers for browsers do not try to resolve: there these modules are never reached. */
function nodeModule(name: string): string {
  return `node:${name}`;
}
