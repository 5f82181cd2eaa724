import { fitPostHoc, Precond, reconstruct, stateDictOf } from '@evenkeel/edm2';
import type { HostArray } from '@evenkeel/formats';
import { Generator } from '@evenkeel/tensor';
import type { NetworkCard } from '../protocol/sample.ts';
import { classNames } from './class-names.ts';
import type { WeightsFile } from './weights-file.ts';

/** Lengths that are offered where they can be made. */
const offered = Array.from({ length: 56 }, (_, i) => Math.round(5 * (i + 1)) / 1000);

/** A file whose time and length are known. */
type Average = WeightsFile & { readonly images: number; readonly std: number };

/** All files of weights that were opened, by the runs that they are of. */
export class WeightsStore {
  readonly #files: WeightsFile[] = [];

  /** Adds a file, or takes it in place of one of the same run, time and length. Gives the network's id. */
  add(file: WeightsFile): number {
    const same = this.#files.findIndex((other) => {
      return other.run === file.run && other.images === file.images && other.std === file.std;
    });
    if (same >= 0) this.#files.splice(same, 1, file);
    else this.#files.push(file);
    return this.#runs().findIndex(([{ run }]) => run === file.run);
  }

  file(id: number): WeightsFile {
    const found = this.#files.find((file) => file.id === id);
    if (found === undefined) throw new Error(`there is no file ${id} of weights`);
    return found;
  }

  cards(): NetworkCard[] {
    return this.#runs().map((files, id): NetworkCard => {
      const [{ description, dataset, values }] = files;
      const { imgResolution, imgChannels, labelDim } = description.options;
      const images = latest(files);
      return {
        id,
        title: dataset ?? files[0].file,
        resolution: imgResolution,
        channels: imgChannels,
        classes: classNames(labelDim, dataset),
        parameters: [...values.values()].reduce((sum, { data }) => sum + data.length, 0),
        files: files.map(({ id, file, images, std }) => ({ id, file, images, std })),
        images,
        lengths: lengthsOf(files),
      };
    });
  }

  /** Values of a network's average at its latest time. */
  async values(network: number, std: number | undefined): Promise<ReadonlyMap<string, HostArray>> {
    const files = this.#runs()[network];
    if (files === undefined) throw new Error(`there is no network ${network}`);
    const images = latest(files);
    const stored = files.find((file) => file.images === images && file.std === std) ?? (std === undefined && files[0]);
    if (stored) return stored.values;
    const averages = files.filter(isAverage);
    const [made] = await reconstruct(
      averages.map(({ images, std, values }) => ({ images, std, load: () => values })),
      [{ images: images as number, std: std as number }],
      { copied: averages.flatMap(({ copied }) => copied), onWarning: () => {} },
    );
    return made as Map<string, HostArray>;
  }

  /** In order of their first files. */
  #runs(): [WeightsFile, ...WeightsFile[]][] {
    const runs = new Map<string, [WeightsFile, ...WeightsFile[]]>();
    for (const file of this.#files) {
      const known = runs.get(file.run);
      if (known) known.push(file);
      else runs.set(file.run, [file]);
    }
    return [...runs.values()];
  }

  /** The description of a network. */
  description(network: number): WeightsFile['description'] {
    return (this.#runs()[network] as [WeightsFile])[0].description;
  }
}

/** A network of a file's values, in evaluation mode. */
export function networkOf(file: Pick<WeightsFile, 'description' | 'values'>, name: string): Precond {
  const net = new Precond({ ...file.description.options, generator: new Generator(0), fp16: false });
  const { missing, unexpected } = net.loadStateDict(stateDictOf(file.values), { strict: false });
  if (missing.length === 0 && unexpected.length === 0) return net.eval();
  net.dispose();
  const [what, name0] = missing.length > 0 ? ['lacks', missing[0]] : ['holds', unexpected[0]];
  throw new Error(`${name}: ${what} ${name0}, unlike the network that it describes`);
}

function isAverage(file: WeightsFile): file is Average {
  return file.images !== undefined && file.std !== undefined;
}

function latest(files: readonly WeightsFile[]): number | undefined {
  return files.reduce<number | undefined>((last, { images }) => {
    return images === undefined ? last : Math.max(images, last ?? 0);
  }, undefined);
}

/** Stored lengths of the latest time, and those that the files span. */
function lengthsOf(files: readonly WeightsFile[]): number[] {
  const averages = files.filter(isAverage);
  const images = latest(averages);
  if (images === undefined) return [];
  const stored = averages.filter((file) => file.images === images).map(({ std }) => std);
  // Profiles of other kinds of averages may not be solvable: then what is stored is all there is.
  const made = offered.filter((std) => averages.length > 1 && spans(averages, images, std));
  return [...new Set([...stored, ...made])].sort((a, b) => a - b);
}

function spans(averages: readonly Average[], images: number, std: number): boolean {
  try {
    return fitPostHoc(averages, { images, std }).isSpanned;
  } catch {
    return false;
  }
}
