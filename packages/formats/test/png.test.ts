import { decodePng, encodePng, type RasterImage } from '@evenkeel/formats';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const image: fc.Arbitrary<RasterImage> = fc
  .record({
    width: fc.integer({ min: 1, max: 9 }),
    height: fc.integer({ min: 1, max: 9 }),
    channels: fc.constantFrom(1, 2, 3, 4),
  })
  .chain(({ width, height, channels }) => {
    const length = width * height * channels;
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((data) => ({ width, height, channels: channels as RasterImage['channels'], data }));
  });

test('decoding gives back what was encoded', () => {
  fc.assert(
    fc.property(image, (picture) => {
      expect(decodePng(encodePng(picture))).toEqual(picture);
    }),
  );
});

test('a palette becomes RGB', () => {
  // A 2 x 1 picture with a palette of 1 bit: red, blue.
  const base64 =
    'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABAQMAAADO7O3JAAAABlBMVEX/AAAAAP9sof2OAAAACklEQVR4nGNwAAAAQgBBKTf07wAAAABJRU5ErkJggg==';
  const decoded = decodePng(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
  expect({ ...decoded, data: [...decoded.data] }).toEqual({
    width: 2,
    height: 1,
    channels: 3,
    data: [255, 0, 0, 0, 0, 255],
  });
});

test('any changed byte is noticed or harmless, and errors are one line', () => {
  const png = encodePng({ width: 4, height: 4, channels: 3, data: Uint8Array.from({ length: 48 }, (_, i) => 5 * i) });
  fc.assert(
    fc.property(fc.nat(png.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, change, cut) => {
      const damaged = cut ? png.slice(0, at) : png.slice();
      if (!cut) damaged[at]! ^= change;
      expect(() => decodePng(damaged, { file: 'x.png' })).toThrow(/^decodePng x\.png: [^\n]+$/);
    }),
    { numRuns: 300 },
  );
});

test('what does not fit is refused', () => {
  const data = new Uint8Array(3);
  expect(() => encodePng({ width: 1, height: 2, channels: 3, data })).toThrow(
    'encodePng: 1 x 2 x 3 needs 6 values, got 3',
  );
  expect(() => encodePng({ width: 0, height: 2, channels: 3, data })).toThrow(
    'encodePng: a side of 0 x 2 is not a size',
  );
  expect(() => decodePng(new Uint8Array(100))).toThrow('decodePng: not a PNG file');
  const huge = encodePng({ width: 1, height: 1, channels: 3, data });
  new DataView(huge.buffer, huge.byteOffset).setUint32(16, 0xffffffff);
  new DataView(huge.buffer, huge.byteOffset).setUint32(20, 0xffffffff);
  expect(() => decodePng(huge)).toThrow('4294967295 x 4294967295 pixels');
});

test('a small file does not claim a large picture', () => {
  const png = encodePng({ width: 1, height: 1, channels: 3, data: new Uint8Array(3) });
  const view = new DataView(png.buffer, png.byteOffset);
  for (const at of [16, 20]) view.setUint32(at, 2 ** 13);
  expect(() => decodePng(png)).toThrow(/^decodePng: pixels are cut off$/);
});
