/** 2 / pi in binary, a byte each. */
const twoOverPi = [0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab].flatMap((word) =>
  [24, 16, 8, 0].map((shift) => (word >>> shift) & 0xff),
);

/** Bytes of the fraction that are computed; the digits of 2 / pi that they, and the whole part, come from. */
const FRACTION = 10;
const DIGITS = FRACTION + 4;
/** Where those digits may start. */
const LAST_START = 13;

const digit = (place: number): number => (place < 1 ? 0 : (twoOverPi[place - 1] ?? 0));

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** size *= 2^by and exponent -= by where it is out of bounds, by steps. */
const scaling = [
  ...[64, 32, 16, 8, 4, 2, 1].map(
    (by) => `    if (m >= ${2 ** (23 + by)}) { m = m * ${2 ** -by}; exponent = exponent + ${by}; }`,
  ),
  ...[8, 4, 2, 1].map((by) => `    if (m < ${2 ** (24 - by)}) { m = m * ${2 ** by}; exponent = exponent - ${by}; }`),
].join('\n');

const starts = range(LAST_START + 3)
  .map((i) => i - 2)
  .map((start) => {
    const digits = range(DIGITS).flatMap((i) => (digit(start + i) === 0 ? [] : [`t${i} = ${digit(start + i)};`]));
    return `    if (start == ${start}) { ${digits.join(' ')} }`;
  })
  .join('\n');

/** From the last byte up: sums of products of bytes, all of them exact in floats. */
const bytes = range(FRACTION + 1)
  .reverse()
  .map((place) => {
    const products = range(4).map((j) => `m${j} * t${j + place}`);
    const sum = `carry + ${products.join(' + ')}`;
    return `    sum = ${sum};
    carry = Math.floor(sum * 0.00390625);
    const d${place} = sum - carry * 256;`;
  })
  .join('\n');

const fraction = range(FRACTION)
  .reverse()
  .map((i) => `    r = r * 0.00390625 + (isUpper > 0.5 ? 255 - d${i + 1} : d${i + 1});`)
  .join('\n');

/**
 * Statements that take the quarter turns from a large `x`, of absolute value `size`: `r` and `turns` are set. As Payne and
 * Hanek (1983), in bytes: x is a whole number m times a power of two, which says what digits of 2 / pi count.
 */
export const reduceLarge = `
    if (!(size * 0.5 < 3e38)) { return (x - x) / (x - x); }
    let m = size;
    let exponent = 0.5 - 0.5;
${scaling}
    const places = Math.floor((exponent + 16) * 0.125);
    const shift = exponent + 16 - places * 8;
    for (let i = 0; i < 7; i++) {
      if (shift > i + 0.5) { m = m * 2; }
    }
    const start = places - 2;
${range(DIGITS)
  .map((i) => `    let t${i} = 0.5 - 0.5;`)
  .join('\n')}
${starts}
    const m3 = Math.floor(m * 5.960464477539063e-8);
    m = m - m3 * 16777216;
    const m2 = Math.floor(m * 0.0000152587890625);
    m = m - m2 * 65536;
    const m1 = Math.floor(m * 0.00390625);
    const m0 = m - m1 * 256;
    let carry = 0.5 - 0.5;
    let sum = carry;
${bytes}
    let isUpper = 0.5 - 0.5;
    turns = d0 - Math.floor(d0 * 0.25) * 4;
    if (d1 > 127.5) { isUpper = 1; turns = turns + 1; }
    r = 0.5 - 0.5;
${fraction}
    r = r * ${Math.fround(Math.PI / 2 / 256)};
    if (isUpper > 0.5) { r = -r; }
    if (x < 0) { r = -r; turns = 4 - turns; }`;
