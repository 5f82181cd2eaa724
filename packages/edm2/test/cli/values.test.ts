import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import {
  count,
  countFrom,
  fileEndingIn,
  flag,
  imageSize,
  integerList,
  listOf,
  numberIn,
} from '../../src/cli/values.ts';

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
  expect([sigma('0.002'), sigma('80')]).toEqual([0.002, 80]);
  expect(numberIn({ least: 0, most: Number.POSITIVE_INFINITY })('inf')).toBe(Number.POSITIVE_INFINITY);
  expect(() => sigma('0')).toThrow('Give a number above 0.');
  expect(() => numberIn({ least: 0, below: 0.289 })('0.289')).toThrow('at least 0 and below 0.289');
  expect(() => numberIn({ least: 1, whole: true })('1.5')).toThrow('a whole number at least 1');
  for (const text of ['', ' ', 'NaN', 'inf', '-inf', '0x', '1,5']) expect(() => numberIn()(text), text).toThrow();
});

test('counts have a least one', () => {
  expect(countFrom(2)('2Ki')).toBe(2048);
  expect(() => countFrom(2)('1')).toThrow('Give at least 2.');
});

test('lists keep their order', () => {
  expect(listOf({ least: 1, whole: true })('2,1,2')).toEqual([2, 1, 2]);
  expect(() => listOf({ least: 1 })('2,')).toThrow(InvalidArgumentError);
});

test('names of files say what is in them', () => {
  const picture = fileEndingIn('.svg', '.png');
  expect([picture('a.svg'), picture('b.PNG')]).toEqual(['a.svg', 'b.PNG']);
  expect(() => picture('a.jpg')).toThrow('Give a name that ends in .svg or .png.');
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
