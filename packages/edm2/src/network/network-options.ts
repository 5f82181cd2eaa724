import type { PrecondOptions } from './precondition.ts';

interface Check {
  readonly wanted: string;
  readonly accepts: (value: unknown) => boolean;
}

/** Far above any network that exists; it keeps a damaged file from asking for a million layers. */
const mostLevels = 32;
const mostBlocks = 1024;
const largestSize = 2 ** 24;

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isWhole = (value: unknown, least: number, most: number): boolean =>
  isNumber(value) && Number.isInteger(value) && value >= least && value <= most;

const size: Check = { wanted: 'a whole number above 0', accepts: (value) => isWhole(value, 1, largestSize) };
const share: Check = {
  wanted: 'a number from 0 to 1',
  accepts: (value) => isNumber(value) && value >= 0 && value <= 1,
};
const positive: Check = { wanted: 'a number above 0', accepts: (value) => isNumber(value) && value > 0 };
const orNull = ({ wanted, accepts }: Check): Check => ({
  wanted: `${wanted}, or nothing`,
  accepts: (value) => value === null || accepts(value),
});
const listOf = (wanted: string, item: (value: unknown) => boolean): Check => ({
  wanted: `a list of ${wanted}`,
  accepts: (value) => Array.isArray(value) && value.length <= mostLevels && value.every(item),
});

/** What a file may say of each option. */
const checks: Readonly<Partial<Record<keyof PrecondOptions, Check>>> = {
  imgResolution: size,
  imgChannels: size,
  labelDim: { wanted: 'a whole number', accepts: (value) => isWhole(value, 0, largestSize) },
  modelChannels: size,
  channelMult: listOf('numbers above 0', positive.accepts),
  channelMultNoise: orNull(positive),
  channelMultEmb: orNull(positive),
  numBlocks: { wanted: 'a whole number above 0', accepts: (value) => isWhole(value, 1, mostBlocks) },
  attnResolutions: listOf('whole numbers', (value) => isWhole(value, 0, largestSize)),
  labelBalance: share,
  concatBalance: share,
  resampleFilter: listOf('numbers', isNumber),
  channelsPerHead: size,
  dropout: { wanted: 'a number from 0 to below 1', accepts: (value) => isNumber(value) && value >= 0 && value < 1 },
  resBalance: share,
  attnBalance: share,
  clipAct: orNull(positive),
  sigmaData: positive,
  logvarChannels: size,
  fp16: { wanted: 'true or false', accepts: (value) => typeof value === 'boolean' },
  dtype: { wanted: "'float32' or 'float64'", accepts: (value) => value === 'float32' || value === 'float64' },
};

/** Options that a file must give: the others have defaults. */
const required = ['imgResolution', 'imgChannels', 'labelDim'] as const satisfies readonly (keyof PrecondOptions)[];

/**
 * Checks what a file says of a network, before a network is made of it. `nameOf` turns an option's name into the file's.
 *
 * @throws one line that names file, option and value.
 */
export function checkNetworkOptions(
  options: Readonly<Record<string, unknown>>,
  file: string,
  nameOf: (option: string) => string = (option) => option,
): PrecondOptions {
  const lacking = required.find((option) => options[option] === undefined);
  if (lacking !== undefined) throw new Error(`${file}: does not say the network's ${nameOf(lacking)}`);
  for (const [option, { wanted, accepts }] of Object.entries(checks)) {
    const value = options[option];
    if (value !== undefined && !accepts(value)) {
      throw new Error(`${file}: the network's ${nameOf(option)} must be ${wanted}, got ${shown(value)}`);
    }
  }
  return options as unknown as PrecondOptions;
}

/** A value in a few words, whatever it is: lists of a file may be endless, or hold themselves. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (Array.isArray(value)) return 'a list of others';
  return typeof value === 'object' && value !== null ? 'an object' : String(value).slice(0, 60);
}
