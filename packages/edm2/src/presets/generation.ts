/** A published network: a run's weights, averaged post hoc. */
export interface PublishedNetwork {
  /** The run: `edm2-img512-s`, or `edm2-img512-xs-uncond` where labels were not used. */
  readonly run: string;
  /** Thousands of images seen. */
  readonly kimg: number;
  /** Length of the average, relative to training. */
  readonly std: number;
}

/** How published pictures were made. */
export interface GenerationPreset {
  /** Such as `edm2-img512-s-guid-fid`. */
  readonly name: string;
  readonly net: PublishedNetwork;
  /** What is moved away from, by {@link guidance}. */
  readonly guide?: PublishedNetwork;
  /** 1 is none. */
  readonly guidance: number;
  /** The figure that length and guidance were chosen for. */
  readonly metric: 'fid' | 'fd_dinov2';
  /** What was published for it. */
  readonly published: number;
}

/**
 * The file name of a published network, without its ending.
 *
 * @example
 * ```ts
 * publishedNetworkName({ run: 'edm2-img512-s', kimg: 2147483, std: 0.13 }); // 'edm2-img512-s-2147483-0.130'
 * ```
 */
export function publishedNetworkName({ run, kimg, std }: PublishedNetwork): string {
  return `${run}-${String(kimg).padStart(7, '0')}-${std.toFixed(3)}`;
}

const metrics = ['fid', 'fd_dinov2'] as const;
const suffixes = { fid: 'fid', fd_dinov2: 'dino' } as const;

/** [std, figure] */
type Plain = readonly [number, number];
/** [std, guidance, figure] */
type Guided = readonly [number, number, number];

/** Size, kimg, then for FID and FD-DINOv2: without guidance, and guided by the unconditional XS network. */
const img512: readonly (readonly [string, number, Plain, Plain, Guided, Guided])[] = [
  ['xs', 2147483, [0.135, 3.53], [0.2, 103.39], [0.045, 1.4, 2.91], [0.15, 1.7, 79.94]],
  ['s', 2147483, [0.13, 2.56], [0.19, 68.64], [0.025, 1.4, 2.23], [0.085, 1.9, 52.32]],
  ['m', 2147483, [0.1, 2.25], [0.155, 58.44], [0.03, 1.2, 2.01], [0.015, 2, 41.98]],
  ['l', 1879048, [0.085, 2.06], [0.155, 52.25], [0.015, 1.2, 1.88], [0.035, 1.7, 38.2]],
  ['xl', 1342177, [0.085, 1.96], [0.155, 45.96], [0.02, 1.2, 1.85], [0.03, 1.7, 35.67]],
  ['xxl', 939524, [0.07, 1.91], [0.15, 42.84], [0.015, 1.2, 1.81], [0.015, 1.7, 33.09]],
];

/** Size, kimg, FID. */
const img64: readonly (readonly [string, number, Plain])[] = [
  ['s', 1073741, [0.075, 1.58]],
  ['m', 2147483, [0.06, 1.43]],
  ['l', 1073741, [0.04, 1.33]],
  ['xl', 671088, [0.04, 1.33]],
];

interface Autoguided {
  readonly run: string;
  readonly kimg: number;
  /** [run, kimg] */
  readonly guide: readonly [string, number];
  /** For FID and FD-DINOv2: std, the guide's std, guidance, figure. */
  readonly settings: readonly (readonly [number, number, number, number])[];
}

/** Source: arXiv 2406.02507, table 1. */
const autoguided: readonly Autoguided[] = [
  {
    run: 'edm2-img512-s',
    kimg: 2147483,
    guide: ['edm2-img512-xs', 134217],
    settings: [
      [0.07, 0.125, 2.1, 1.34],
      [0.12, 0.165, 2.45, 36.67],
    ],
  },
  {
    run: 'edm2-img512-xxl',
    kimg: 939524,
    guide: ['edm2-img512-m', 268435],
    settings: [
      [0.075, 0.155, 2.05, 1.25],
      [0.13, 0.205, 2.3, 24.18],
    ],
  },
  {
    run: 'edm2-img512-s-uncond',
    kimg: 2147483,
    guide: ['edm2-img512-xs-uncond', 134217],
    settings: [
      [0.07, 0.11, 2.85, 3.86],
      [0.09, 0.125, 2.9, 90.39],
    ],
  },
  {
    run: 'edm2-img64-s',
    kimg: 1073741,
    guide: ['edm2-img64-xs', 134217],
    settings: [
      [0.045, 0.11, 1.7, 1.01],
      [0.105, 0.175, 2.2, 31.85],
    ],
  },
];

function plain(run: string, kimg: number, metric: GenerationPreset['metric'], [std, figure]: Plain): GenerationPreset {
  const name = `${run}-${suffixes[metric]}`;
  return { name, net: { run, kimg, std }, guidance: 1, metric, published: figure };
}

function ofImg512([size, kimg, ...columns]: (typeof img512)[number]): GenerationPreset[] {
  const run = `edm2-img512-${size}`;
  return metrics.flatMap((metric, i) => {
    const [std, guidance, figure] = columns[i + 2] as Guided;
    const guide = { run: 'edm2-img512-xs-uncond', kimg: 2147483, std };
    const name = `${run}-guid-${suffixes[metric]}`;
    return [
      plain(run, kimg, metric, columns[i] as Plain),
      { name, net: { run, kimg, std }, guide, guidance, metric, published: figure },
    ];
  });
}

function ofAutoguided({ run, kimg, guide: [guideRun, guideKimg], settings }: Autoguided): GenerationPreset[] {
  return metrics.map((metric, i) => {
    const [std, guideStd, guidance, published] = settings[i] as (typeof settings)[number];
    const guide = { run: guideRun, kimg: guideKimg, std: guideStd };
    return { name: `${run}-autog-${suffixes[metric]}`, net: { run, kimg, std }, guide, guidance, metric, published };
  });
}

/**
 * How the published networks were sampled, by name: `-fid` and `-dino` after the metric that average and guidance were
 * chosen for, `-guid-` with classifier-free guidance, `-autog-` with autoguidance. All with 32 steps of the default sampler.
 *
 * Source: arXiv 2312.02696, table 2; arXiv 2406.02507, table 1.
 *
 * @example
 * ```ts
 * const { net, guide, guidance } = generationPresets.get('edm2-img512-s-guid-fid')!;
 * guidance; // 1.4
 * publishedNetworkName(net); // 'edm2-img512-s-2147483-0.025'
 * ```
 */
export const generationPresets: ReadonlyMap<string, GenerationPreset> = new Map(
  [
    ...img512.flatMap(ofImg512),
    ...img64.map(([size, kimg, column]) => plain(`edm2-img64-${size}`, kimg, 'fid', column)),
    ...autoguided.flatMap(ofAutoguided),
  ].map((preset) => [preset.name, preset]),
);
