// Builds the page and serves it: `npm run demo -- --port 8080`.
import { parseArgs } from 'node:util';
import { buildSite, siteFolder } from './build-site.mjs';
import { serveSite } from './serve-site.mjs';

const help = `Builds the page and serves it on localhost.

  --port <number>   where (default 8000; 0 for any free one)
  --plain           without the headers that isolate the page, as simple servers do: one thread of WebAssembly`;

/** @param {string} message @returns {never} */
function refuse(message) {
  console.error(`demo: ${message}`);
  process.exit(1);
}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '8000' },
        plain: { type: 'boolean', default: false },
        help: { type: 'boolean' },
      },
    });
    return values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

const { port, plain, help: isAsked } = options();
if (isAsked) {
  console.log(help);
  process.exit(0);
}
const number = Number(port);
if (!/^\d+$/.test(port) || number > 65535) refuse(`--port ${port} is no port. Give a number from 0 to 65535`);

// A taken port is told before anything is built.
const { url } = await serveSite(siteFolder, { port: number, isolated: !plain }).catch((error) =>
  refuse(error.code === 'EADDRINUSE' ? `port ${port} is taken. Give another one: --port ${number + 1}` : error.message),
);
await buildSite();
console.log(`${url}  (Ctrl-C stops)`);
