import { access } from 'node:fs/promises';
import { loadEmoji16Classifier } from '../../metrics/emoji16-classifier.ts';
import { dinov2Features } from '../../metrics/extractors/dinov2.ts';
import { emoji16Features } from '../../metrics/extractors/emoji16.ts';
import type { FeatureExtractor } from '../../metrics/extractors/feature-extractor.ts';
import { inceptionFeatures } from '../../metrics/extractors/inception.ts';
import type { OnnxNetwork, OnnxSession, OnnxTensorClass } from '../../metrics/extractors/onnx-session.ts';
import type { ExtractorName, Metric } from '../../metrics/metric.ts';

/** Files of networks that do not ship with this package. */
export interface ExtractorFiles {
  /** The Inception network of FID, an ONNX file. */
  readonly inception?: string | undefined;
  /** DINOv2 ViT-L/14, an ONNX file. */
  readonly dinov2?: string | undefined;
  /** What runs them. @defaultValue the optional package `onnxruntime-node` */
  readonly runtime?: OnnxRuntime;
}

/** What is used of `onnxruntime-node`. */
export interface OnnxRuntime {
  readonly InferenceSession: { create(path: string): Promise<OnnxSession> };
  readonly Tensor: OnnxTensorClass;
}

/**
 * The extractors that metrics need. Nothing is downloaded: the networks of FID and FD-DINOv2 are files of the user's, which
 * `onnxruntime-node` runs.
 *
 * @throws Error, one line, when a file is not given or not there, or `onnxruntime-node` is not installed.
 * @example
 * ```ts
 * const extractors = await loadExtractors([metrics.get('fd_small')!]);
 * extractors.get('emoji16')?.featureDim; // 80
 * ```
 */
export async function loadExtractors(
  metrics: readonly Metric[],
  files: ExtractorFiles = {},
): Promise<Map<ExtractorName, FeatureExtractor>> {
  const extractors = new Map<ExtractorName, FeatureExtractor>();
  for (const { name, extractor } of metrics) {
    if (!extractors.has(extractor)) extractors.set(extractor, await loadExtractor(extractor, name, files));
  }
  return extractors;
}

async function loadExtractor(name: ExtractorName, metric: string, files: ExtractorFiles): Promise<FeatureExtractor> {
  switch (name) {
    case 'emoji16':
      return emoji16Features(await loadEmoji16Classifier());
    case 'inception':
      return inceptionFeatures(await openOnnx(files.inception, { name, metric, runtime: files.runtime }));
    case 'dinov2':
      return dinov2Features(await openOnnx(files.dinov2, { name, metric, runtime: files.runtime }));
    default:
      throw new Error(`extractor '${name satisfies never}' is not known`);
  }
}

interface Wanted {
  readonly name: string;
  readonly metric: string;
  readonly runtime: OnnxRuntime | undefined;
}

async function openOnnx(file: string | undefined, { name, metric, runtime }: Wanted): Promise<OnnxNetwork> {
  if (file === undefined) {
    throw new Error(
      `${metric} needs the weights of ${name} as an ONNX file: give --${name} FILE. Nothing is downloaded`,
    );
  }
  await access(file).catch(() => {
    throw new Error(`--${name} ${file}: there is no such file`);
  });
  const { InferenceSession, Tensor } = runtime ?? (await installedRuntime(metric));
  try {
    return { session: await InferenceSession.create(file), Tensor, file };
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0];
    throw new Error(`--${name} ${file}: is no ONNX network that can be run (${reason})`, { cause: error });
  }
}

async function installedRuntime(metric: string): Promise<OnnxRuntime> {
  const name = 'onnxruntime-node'; // optional: neither the type checker nor a bundler looks for it
  try {
    return (await import(name)) as OnnxRuntime;
  } catch (error) {
    throw new Error(`${metric} needs the package ${name}, which is not installed: npm install ${name}`, {
      cause: error,
    });
  }
}
