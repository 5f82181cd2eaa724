import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import { emaLengths } from '../../src/cli/ema-lengths.ts';

test('lists of lengths take even steps, are sorted and hold each number once', () => {
  expect(emaLengths('0.1, 0.05,0.1')).toEqual([0.05, 0.1]);
  expect(emaLengths('0.01,0.02,...,0.05')).toEqual([0.01, 0.02, 0.03, 0.04, 0.05]);
  expect(emaLengths('0.2,0.010,0.015,...,0.02995,0.1')).toEqual([0.01, 0.015, 0.02, 0.025, 0.02995, 0.1, 0.2]);
  for (const text of [
    '',
    '0',
    '0.289',
    '0.1,',
    '...',
    '0.1,...,0.2',
    '0.1,0.2,...',
    '0.1,0.2,...,0.2',
    '0.2,0.1,...,0.15',
    '0.1,0.12,...,0.15',
  ]) {
    expect(() => emaLengths(text), text).toThrow(InvalidArgumentError);
  }
});
