import type { StateDict } from '@evenkeel/nn';
import type { Tensor } from '@evenkeel/tensor';

/** What the attention's parameters were called in files of before 2023, and are called now. */
const renamed: Readonly<Record<string, string>> = {
  query: 'to_q',
  key: 'to_k',
  value: 'to_v',
  proj_attn: 'to_out.0',
};

/** A state dict with the present names; the attention's weights, once 1x1 convolutions, are matrices. */
export function publishedNames(dict: StateDict): Map<string, Tensor> {
  const entries = dict instanceof Map ? [...(dict as ReadonlyMap<string, Tensor>)] : Object.entries(dict);
  return new Map(
    entries.map(([name, value]) => {
      const present = name.replace(
        /(\.attentions\.\d+\.)(query|key|value|proj_attn)\./,
        (_, before: string, old: string) => {
          return `${before}${renamed[old]}.`;
        },
      );
      const isConvolution = /\.attentions\.\d+\.to_.*\.weight$/.test(present) && value.shape.length === 4;
      return [present, isConvolution ? value.reshape(value.shape.slice(0, 2)) : value];
    }),
  );
}
