/** The autoencoder once more, in plain loops over float64: what its layers are tested against. */

/** Channels first, one image. */
export interface Planes {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Float64Array;
}

export interface Weight {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Parameters by their published names. */
export class ReferenceVae {
  readonly #weights: ReadonlyMap<string, Weight>;
  readonly #levels: number;
  readonly #layers: number;
  readonly #groups: number;

  constructor(weights: ReadonlyMap<string, Weight>, levels: number, layers: number, groups: number) {
    this.#weights = weights;
    this.#levels = levels;
    this.#layers = layers;
    this.#groups = groups;
  }

  /** Means, then standard deviations. */
  encode(x: Planes): Planes {
    let h = this.#conv('encoder.conv_in', x, 1);
    for (let level = 0; level < this.#levels; level++) {
      const block = `encoder.down_blocks.${level}`;
      for (let layer = 0; layer < this.#layers; layer++) h = this.#resnet(`${block}.resnets.${layer}`, h);
      if (level < this.#levels - 1) h = this.#conv(`${block}.downsamplers.0.conv`, h, 0, 2);
    }
    h = this.#middle('encoder.mid_block', h);
    h = this.#conv('encoder.conv_out', silu(this.#norm('encoder.conv_norm_out', h)), 1);
    const moments = this.#conv('quant_conv', h, 0);
    const half = moments.data.length / 2;
    const data = moments.data.map((value, i) => {
      return i < half ? value : Math.exp(0.5 * Math.min(Math.max(value, -30), 20));
    });
    return { ...moments, data };
  }

  decode(z: Planes): Planes {
    let h = this.#middle('decoder.mid_block', this.#conv('decoder.conv_in', this.#conv('post_quant_conv', z, 0), 1));
    for (let level = 0; level < this.#levels; level++) {
      const block = `decoder.up_blocks.${level}`;
      for (let layer = 0; layer <= this.#layers; layer++) h = this.#resnet(`${block}.resnets.${layer}`, h);
      if (level < this.#levels - 1) h = this.#conv(`${block}.upsamplers.0.conv`, doubled(h), 1);
    }
    return this.#conv('decoder.conv_out', silu(this.#norm('decoder.conv_norm_out', h)), 1);
  }

  #resnet(name: string, x: Planes): Planes {
    const inner = this.#conv(`${name}.conv1`, silu(this.#norm(`${name}.norm1`, x)), 1);
    const y = this.#conv(`${name}.conv2`, silu(this.#norm(`${name}.norm2`, inner)), 1);
    const shortcut = this.#weights.has(`${name}.conv_shortcut.weight`) ? this.#conv(`${name}.conv_shortcut`, x, 0) : x;
    return sum(y, shortcut);
  }

  #middle(name: string, x: Planes): Planes {
    const before = this.#resnet(`${name}.resnets.0`, x);
    return this.#resnet(`${name}.resnets.1`, this.#attention(`${name}.attentions.0`, before));
  }

  #attention(name: string, x: Planes): Planes {
    const { channels } = x;
    const pixels = x.height * x.width;
    const normed = this.#norm(`${name}.group_norm`, x);
    const [q, k, v] = ['to_q', 'to_k', 'to_v'].map((part) => this.#linear(`${name}.${part}`, normed)) as [
      Planes,
      Planes,
      Planes,
    ];
    const out = new Float64Array(channels * pixels);
    for (let i = 0; i < pixels; i++) {
      const scores = Array.from({ length: pixels }, (_, j) => {
        let dot = 0;
        for (let c = 0; c < channels; c++) dot += q.data[c * pixels + i]! * k.data[c * pixels + j]!;
        return Math.exp(dot / Math.sqrt(channels));
      });
      const total = scores.reduce((a, b) => a + b, 0);
      for (let c = 0; c < channels; c++) {
        for (let j = 0; j < pixels; j++) out[c * pixels + i]! += (scores[j]! / total) * v.data[c * pixels + j]!;
      }
    }
    return sum(x, this.#linear(`${name}.to_out.0`, { ...x, data: out }));
  }

  /** Over channels, pixel by pixel. */
  #linear(name: string, x: Planes): Planes {
    const { shape, data } = this.#weight(`${name}.weight`);
    const kernel = { shape: [...shape, 1, 1], data };
    return convolve(x, kernel, this.#weight(`${name}.bias`), 0, 1);
  }

  #conv(name: string, x: Planes, padding: number, stride = 1): Planes {
    return convolve(x, this.#weight(`${name}.weight`), this.#weight(`${name}.bias`), padding, stride);
  }

  #norm(name: string, x: Planes): Planes {
    const [scale, shift] = [this.#weight(`${name}.weight`), this.#weight(`${name}.bias`)];
    const plane = x.height * x.width;
    const size = (x.channels / this.#groups) * plane;
    const data = new Float64Array(x.data.length);
    for (let group = 0; group < this.#groups; group++) {
      const own = x.data.subarray(group * size, (group + 1) * size);
      const mean = own.reduce((a, b) => a + b, 0) / size;
      const variance = own.reduce((a, b) => a + (b - mean) ** 2, 0) / size;
      for (let i = 0; i < size; i++) {
        const channel = Math.floor((group * size + i) / plane);
        const unit = (own[i]! - mean) / Math.sqrt(variance + 1e-6);
        data[group * size + i] = unit * scale.data[channel]! + shift.data[channel]!;
      }
    }
    return { ...x, data };
  }

  #weight(name: string): Weight {
    const weight = this.#weights.get(name);
    if (weight === undefined) throw new Error(`no parameter ${name}`);
    return weight;
  }
}

/** Zeros around; with stride 2, below and at the right alone. */
function convolve(x: Planes, kernel: Weight, bias: Weight, padding: number, stride: number): Planes {
  const [outChannels, inChannels, size] = kernel.shape as [number, number, number];
  const [height, width] = [x.height / stride, x.width / stride];
  const data = new Float64Array(outChannels * height * width);
  for (let o = 0; o < outChannels; o++) {
    for (let y = 0; y < height; y++) {
      for (let column = 0; column < width; column++) {
        let value = bias.data[o]!;
        for (let i = 0; i < inChannels; i++) {
          for (let v = 0; v < size; v++) {
            for (let u = 0; u < size; u++) {
              const [row, left] = [y * stride + v - padding, column * stride + u - padding];
              if (row < 0 || row >= x.height || left < 0 || left >= x.width) continue;
              value +=
                kernel.data[((o * inChannels + i) * size + v) * size + u]! *
                x.data[(i * x.height + row) * x.width + left]!;
            }
          }
        }
        data[(o * height + y) * width + column] = value;
      }
    }
  }
  return { channels: outChannels, height, width, data };
}

function silu(x: Planes): Planes {
  return { ...x, data: x.data.map((value) => value / (1 + Math.exp(-value))) };
}

function sum(x: Planes, y: Planes): Planes {
  return { ...x, data: x.data.map((value, i) => value + y.data[i]!) };
}

function doubled(x: Planes): Planes {
  const [height, width] = [2 * x.height, 2 * x.width];
  const data = new Float64Array(x.channels * height * width);
  for (let i = 0; i < data.length; i++) {
    const [channel, y, column] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
    data[i] = x.data[(channel * x.height + (y >> 1)) * x.width + (column >> 1)]!;
  }
  return { channels: x.channels, height, width, data };
}
