export { cosineAttentionContract } from './cosine-attention.ts';
export { mpConcatContract } from './mp-concat.ts';
export { insideShare, mpConvContract } from './mp-conv.ts';
export { mpFourierContract } from './mp-fourier.ts';
export { mpLinearContract } from './mp-linear.ts';
export { mpSiluContract } from './mp-silu.ts';
export { mpSumContract } from './mp-sum.ts';
export { normalizeContract, pixelNormContract } from './normalize.ts';
export { resampleContract } from './resample.ts';
