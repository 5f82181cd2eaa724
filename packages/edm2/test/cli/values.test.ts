import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import { count, flag, imageSize, integerList, numberIn, numberList } from '../../src/cli/values.ts';

test('counts take binary suffixes', () => {
  expect(['200', '128Ki', '8Mi', '1.5Gi', '0'].map(count)).toEqual([200, 131072, 8388608, 1610612736, 0]);
  for (const text of ['', '-1', '1.5', '8M', '8mi', 'Ki', '1e3', '9007199254740993']) {
    expect(() => count(text), text).toThrow(InvalidArgumentError);
  }
});

test('lists of whole numbers take ranges, and hold each number once', () => {
  expect(integerList('1,2,5-10')).toEqual([1, 2, 5, 6, 7, 8, 9, 10]);
  expect(integerList(' 7 , 3-4,3')).toEqual([7, 3, 4]);
  for (const text of ['', '1,', '5-3', 'a', '1.5', '-1', '0-99999999']) {
    expect(() => integerList(text), text).toThrow(InvalidArgumentError);
  }
});

test('numbers are held to their range', () => {
  const sigma = numberIn({ above: 0 });
  expect([sigma('0.002'), sigma('80'), sigma('inf')]).toEqual([0.002, 80, Number.POSITIVE_INFINITY]);
  expect(() => sigma('0')).toThrow('Give a number above 0.');
  expect(() => numberIn({ least: 0, below: 0.289 })('0.289')).toThrow('at least 0 and below 0.289');
  expect(() => numberIn({ least: 1, whole: true })('1.5')).toThrow('a whole number at least 1');
  for (const text of ['', ' ', 'NaN', '-inf', '0x', '1,5']) expect(() => numberIn()(text), text).toThrow();
});

test('flags', () => {
  expect(['true', 'False', '1', 'no'].map(flag)).toEqual([true, false, true, false]);
  expect(() => flag('maybe')).toThrow(InvalidArgumentError);
});

test('sizes are width by height', () => {
  expect(imageSize('512x256')).toEqual([512, 256]);
  for (const text of ['', '512', '0x4', '4x', '-4x4', '4x4x4', '99999x1']) {
    expect(() => imageSize(text), text).toThrow(InvalidArgumentError);
  }
});

test('lists of numbers take even steps, are sorted and hold each number once', () => {
  const stds = numberList({ above: 0, below: 0.289 });
  expect(stds('0.1, 0.05,0.1')).toEqual([0.05, 0.1]);
  expect(stds('0.01,0.02,...,0.05')).toEqual([0.01, 0.02, 0.03, 0.04, 0.05]);
  expect(stds('0.2,0.010,0.015,...,0.02995,0.1')).toEqual([0.01, 0.015, 0.02, 0.025, 0.02995, 0.1, 0.2]);
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
    expect(() => stds(text), text).toThrow(InvalidArgumentError);
  }
});
