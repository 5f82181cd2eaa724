import { describe, expect, test } from 'vitest';
import { PickleObject, type PickleReadOptions, readPickle } from '../src/index.ts';
import {
  blob,
  bytesOf,
  call,
  dict,
  global,
  integer,
  list,
  little,
  type Piece,
  pickle,
  text,
  tuple,
} from './pickle-bytes.ts';

const read = (pieces: readonly Piece[], options: PickleReadOptions = {}) => readPickle(pickle(...pieces), options);
const refusal = (bytes: Uint8Array, options: PickleReadOptions = {}): string => {
  try {
    readPickle(bytes, options);
    return 'read it';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('plain data', () => {
  test('numbers of all widths', () => {
    const longs = [
      ['', 0],
      ['\x00', 0],
      ['\xff\x00', 255],
      ['\xff\x7f', 32767],
      ['\x00\xff', -256],
      ['\x00\x80', -32768],
      ['\x80', -128],
      ['\xff', -1],
      ['\x00\x00\x00\x00\x00\x00\x20', 9007199254740992n],
      ['\xff\xff\xff\xff\xff\xff\x1f', 9007199254740991],
    ] as const;
    for (const [bytes, value] of longs) expect(read(['\x8a', bytes.length, bytes])).toBe(value);
    expect(read(['\x8b', little(3, 4), '\x01\x02\x03'])).toBe(0x030201);
    expect(read([tuple('K\xff', 'M\xff\xff', integer(-5), 'G\x40\x09\x21\xfb\x54\x44\x2d\x18')])).toEqual([
      255,
      65535,
      -5,
      Math.PI,
    ]);
  });

  test('text, bytes, None and truth', () => {
    expect(read([tuple(text('grün\n'), '\x8c\x02\xc3\xb1', '\x8d', little(1, 8), 'x', 'N', '\x88', '\x89')])).toEqual([
      'grün\n',
      'ñ',
      'x',
      null,
      true,
      false,
    ]);
    const bytes = Uint8Array.of(1, 2, 255);
    expect(read([tuple(blob(bytes), 'C\x01\x07', '\x8e', little(1, 8), '\x08', '\x96', little(1, 8), '\x09')])).toEqual(
      [bytes, Uint8Array.of(7), Uint8Array.of(8), Uint8Array.of(9)].map((each) => expect.objectContaining({ ...each })),
    );
  });

  test('collections, however they are filled', () => {
    expect(read([']K\x01a(K\x02K\x03e'])).toEqual([1, 2, 3]);
    expect(read(['(K\x01K\x02l'])).toEqual([1, 2]);
    expect(read([tuple(')', 'K\x01\x85', 'K\x01K\x02\x86', 'K\x01K\x02K\x03\x87')])).toEqual([
      [],
      [1],
      [1, 2],
      [1, 2, 3],
    ]);
    const map = new Map<unknown, unknown>([
      ['a', 1],
      [2, 'b'],
      [null, null],
    ]);
    expect(read(['}', text('a'), 'K\x01s(K\x02', text('b'), 'NNu'])).toEqual(map);
    expect(read(['(', text('a'), 'K\x01K\x02', text('b'), 'NNd'])).toEqual(map);
    expect(read([call('collections', 'OrderedDict'), '(', text('a'), 'K\x01u'])).toEqual(new Map([['a', 1]]));
    expect(read(['\x8f(K\x01K\x02\x90'])).toEqual(new Set([1, 2]));
    expect(read(['(K\x01K\x02\x91'])).toEqual(new Set([1, 2]));
    expect(read(['\x95', little(2, 8), ')'])).toEqual([]);
  });

  test('what is used twice is one value, and may hold itself', () => {
    const [first, second] = read([tuple(']\x94', 'h\x00', '2')]) as [unknown, unknown];
    expect(first).toBe(second);
    const loop = read([']q\x07h\x07a']) as unknown[];
    expect(loop[0]).toBe(loop);
    expect(read([']r\xff\xff\xff\xffj\xff\xff\xff\xffa'])).toHaveLength(1); // a place in a memo, not a size
    expect(read(['(K\x01K\x021K\x03K\x040'])).toBe(3);
  });

  test('bytes of protocol 2', () => {
    expect(read([call('_codecs', 'encode', text('\u00ff\u0001'), text('latin1'))])).toEqual(Uint8Array.of(255, 1));
    expect(refusal(pickle(call('_codecs', 'encode', text('x'), text('utf8'))))).toMatch(/another way than latin1/);
  });
});

describe('what is not plain data', () => {
  const construct = { 'shop.Cart': 'object', 'shop.total': ([prices]: readonly unknown[]) => prices } as const;

  test('is built by name, by whom the caller says', () => {
    const cart = read([global('shop', 'Cart'), tuple('K\x01'), '\x81', dict(text('items'), 'K\x03'), 'b'], {
      construct,
    });
    expect(cart).toBeInstanceOf(PickleObject);
    expect(cart).toMatchObject({ name: 'shop.Cart', args: [1], state: new Map([['items', 3]]) });
    expect(read([call('shop', 'total', 'K\x07')], { construct })).toBe(7);
    expect(read([text('shop'), text('total'), '\x93', tuple('K\x07'), 'R'], { construct })).toBe(7);
    const id = read([text('here'), 'Q'], { persistent: (name) => `found ${String(name)}` });
    expect(id).toBe('found here');
  });

  test.each([
    ['os', 'system'],
    ['posix', 'system'],
    ['builtins', 'eval'],
    ['builtins', '__import__'],
    ['__builtin__', 'getattr'],
    ['subprocess', 'Popen'],
    ['shop', 'Cart.__init__'],
    ['', 'hasOwnProperty'],
    ['__proto__', 'constructor'],
  ])('is refused by its name: %s %s', (module, name) => {
    const message = new RegExp(
      `^readPickle a\\.pkl: byte \\d+: names ${module}\\.${name}, which is not among what may be`,
    );
    const command = tuple(text('rm -rf /'));
    expect(refusal(pickle(global(module, name), command, 'R'), { file: 'a.pkl', construct })).toMatch(message);
    const onStack = pickle(text(module), text(name), '\x93', command, '\x81');
    expect(refusal(onStack, { file: 'a.pkl', construct })).toMatch(message);
  });

  test('long or odd names are shown shortened, on one line', () => {
    const message = refusal(pickle(text('a\nb'), text('x'.repeat(10_000)), '\x93'));
    expect(message).toMatch(/^readPickle: byte \d+: names a\\nb\.x+\.\.\., which/);
    expect(message.length).toBeLessThan(250);
  });

  test('persistent ids, extensions, buffers and opcodes of the text protocol', () => {
    expect(refusal(pickle(text('x'), 'Q'))).toMatch(/outside of it by a persistent id/);
    const opcodes = [
      ['\x82\x01', 'EXT1 (0x82)'],
      ['\x97', 'NEXT_BUFFER (0x97)'],
      ['I42\n', 'INT (0x49)'],
      ['Pid\n', 'PERSID (0x50)'],
      ['(ios\nsystem\n', 'INST (0x69)'],
      ['(o', 'OBJ (0x6f)'],
      ['NNN\x92', 'NEWOBJ_EX (0x92)'],
    ] as const;
    for (const [bytes, name] of opcodes) expect(refusal(pickle(bytes))).toContain(`opcode ${name} is not supported`);
    expect(refusal(pickle('\xff'))).toBe('readPickle: byte 2: 0xff is no opcode. Is it a pickle?');
    expect(refusal(bytesOf('\x80\x06N.'))).toBe('readPickle: byte 0: protocol 6 is not known');
  });
});

describe('a damaged pickle is one clear line', () => {
  test('cut off at any byte', () => {
    const whole = pickle(
      dict(
        text('a'),
        list('K\x01', integer(2), 'G\0\0\0\0\0\0\0\0'),
        text('b'),
        blob(new Uint8Array(9)),
        text('c'),
        call('collections', 'OrderedDict'),
      ),
    );
    expect(readPickle(whole)).toBeInstanceOf(Map);
    for (let length = 0; length < whole.length; length++) {
      expect(refusal(whole.subarray(0, length), { file: 'cut.pkl' })).toMatch(
        /^readPickle cut\.pkl: byte \d+: .*cut off\?$/,
      );
    }
    expect(refusal(bytesOf(whole, 'xy'))).toBe('readPickle: 2 bytes follow the pickle');
  });

  test.each([
    ['a value from nothing', '0', /empty stack/],
    ['a value of what is around', 'N(0', /^read it$|empty stack/],
    ['a mark that is not there', 't', /a mark that was not set/],
    ['a memo that is not there', 'h\x05', /recalls value 5, which was not kept/],
    ['an append to no list', 'NNa', /appends to what is no list/],
    ['an item of no dict', 'NNNs', /sets an item of what is no dict/],
    ['a key without a value', '}(Nu', /a key of a dict without a value/],
    ['a key that is a dict', '}}Ns', /neither number nor text/],
    ['an element of no set', 'N(N\x90', /adds to what is no set/],
    ['a call of what is no function', 'N)R', /calls what is no class or function/],
    ['attributes of a number', 'K\x01Nb', /sets attributes of what has none/],
    ['text that is not UTF-8', '\x8c\x01\xff', /text is not UTF-8/],
    ['a global that is no text', 'NN\x93', /a global is not named by text/],
  ])('%s', (_, bytes, message) => {
    expect(refusal(pickle(bytes))).toMatch(message);
  });
});

describe('claims cost nothing', () => {
  test('sizes that the file does not have', () => {
    for (const opcode of ['X', 'B', '\x8b'])
      expect(refusal(pickle(opcode, '\xff\xff\xff\x7f'))).toMatch(/cut off|integer of/);
    for (const opcode of ['\x8d', '\x8e', '\x96']) expect(refusal(pickle(opcode, '\xff'.repeat(8)))).toMatch(/cut off/);
    expect(refusal(pickle('\x8b', little(1025, 4), new Uint8Array(2000)))).toMatch(/an integer of 1025 bytes/);
  });

  test('deep nesting is not recursion', () => {
    const depth = 200_000;
    let value = read(['('.repeat(depth), 't'.repeat(depth)]);
    let levels = 0;
    for (; Array.isArray(value) && value.length > 0; value = value[0]) levels++;
    expect(levels).toBe(depth - 1);
  });

  test('a bomb of references is as small here as in the file', () => {
    // Each list holds the one before ten times: 10^40 elements, were it a tree.
    const level = (i: number) => `](${`h${String.fromCharCode(i)}`.repeat(10)}eq${String.fromCharCode(i + 1)}`;
    const bomb = read([']q\x00', ...Array.from({ length: 40 }, (_, i) => level(i))]) as unknown[];
    expect(new Set(bomb).size).toBe(1);
    const bytes = [text('x'.repeat(1000)), 'q\x00', text('latin1'), 'q\x01'];
    const use = bytesOf(global('_codecs', 'encode'), 'h\x00h\x01\x86R');
    const copies = read([...bytes, '(', ...Array.from({ length: 100 }, () => use), 't']) as unknown[];
    expect(new Set(copies).size).toBe(1);
  });
});
