import { expect, test } from 'vitest';
import { MersenneTwister } from '../../src/toy/mersenne-twister.ts';

test('gives the ten thousandth word that its authors publish', () => {
  const random = new MersenneTwister(5489);
  for (let i = 1; i < 10_000; i++) random.bits();
  expect(random.bits()).toBe(4123659995);
});

test('gives what NumPy’s RandomState gives', () => {
  const normals = (seed: number, count: number) => {
    const random = new MersenneTwister(seed);
    return Array.from({ length: count }, () => random.normal());
  };
  expect(normals(2, 5)).toEqual([
    -0.4167578474054706, -0.056266827226329474, -2.136196095668454, 1.6402708084049886, -1.7934355851948631,
  ]);
  expect(normals(2 ** 32 - 1, 1001).at(-1)).toBe(-0.7083537506423528);
  const random = new MersenneTwister(5489);
  const uniforms = Array.from({ length: 2000 }, () => random.uniform());
  expect([uniforms[0], uniforms[1], uniforms[1999]]).toEqual([
    0.8147236863931789, 0.9057919370756192, 0.367285915131369,
  ]);
});

test.each([-1, 0.5, 2 ** 32, Number.NaN])('refuses seed %d', (seed) => {
  expect(() => new MersenneTwister(seed)).toThrow(/whole number of 32 bits/);
});
