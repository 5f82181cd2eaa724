import { extname } from 'node:path';
import { encodePng } from '@evenkeel/formats';
import { writeFileAtomically } from '@evenkeel/formats/node';
import { contentOf } from '../node/content.ts';
import { type Drawing, drawingToSvg } from '../plot/drawing.ts';
import { drawingToRaster } from '../plot/raster.ts';
import { fractalTree, type ToyClass } from '../toy/fractal-tree.ts';
import { sampleToy } from '../toy/sample-toy.ts';
import { type ToyPanel, toyFigure } from '../toy/toy-figure.ts';
import { decodeToy, type StoredToy } from '../toy/toy-file.ts';

/** A network that `edm2 toy train` saved. */
export async function readToy(file: string): Promise<StoredToy> {
  return decodeToy(await contentOf(file), file);
}

/** How the points of a panel are sampled. */
export interface PanelSettings {
  readonly count?: number;
  readonly seed?: number;
  readonly guide?: StoredToy;
  readonly guidance?: number;
  readonly onStep?: ((progress: { step: number; steps: number }) => void) | undefined;
}

/** A network's samples, guided if told, as a panel. */
export async function panel(title: string, { net }: StoredToy, settings: PanelSettings = {}): Promise<ToyPanel> {
  const { guide, onStep, ...rest } = settings;
  const points = await sampleToy(net, {
    ...rest,
    ...(guide === undefined ? {} : { guide: guide.net }),
    ...(onStep === undefined ? {} : { onStep }),
  });
  return { title, points };
}

/** Panels beside the classes that the network learned, and pale behind them those that it did not. */
export function drawPanels(panels: readonly ToyPanel[], classes: ToyClass): Promise<Drawing> {
  const other = { A: 'B', B: 'A', AB: undefined } as const;
  const behind = other[classes];
  const view = classes === 'A' ? undefined : { left: -1.4, bottom: -1.4, side: 2.8 };
  return toyFigure(panels, {
    data: fractalTree(classes),
    ...(behind === undefined ? {} : { other: fractalTree(behind) }),
    ...(view === undefined ? {} : { view }),
  });
}

/** As SVG or PNG, by the file's name. */
export async function saveDrawing(file: string, drawing: Drawing): Promise<void> {
  const isSvg = extname(file).toLowerCase() === '.svg';
  await writeFileAtomically(file, isSvg ? drawingToSvg(drawing) : encodePng(drawingToRaster(drawing)));
}
