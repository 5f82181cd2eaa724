import type { PickleConstructor } from './value.ts';

/** What Python's own collections are pickled as, where they have no opcode; for one pickle. */
export function standardConstructors(): ReadonlyMap<string, PickleConstructor> {
  // One text can be used many times: its bytes are made once.
  const encoded = new Map<unknown, Uint8Array>();
  const encode: PickleConstructor = ([text, encoding]) => {
    const bytes = encoded.get(text) ?? encodedBytes(text, encoding);
    encoded.set(text, bytes);
    return bytes;
  };
  return new Map<string, PickleConstructor>([
    ['collections.OrderedDict', emptyDict],
    ['_codecs.encode', encode],
  ]);
}

function emptyDict(args: readonly unknown[]): Map<unknown, unknown> {
  if (args.length > 0) throw new Error('an OrderedDict that is made of arguments is not supported');
  return new Map();
}

/** How protocol 2, which has no opcode for bytes, writes them: as text whose characters are the bytes. */
function encodedBytes(text: unknown, encoding: unknown): Uint8Array {
  if (typeof text !== 'string' || encoding !== 'latin1') throw new Error('text is encoded in another way than latin1');
  return Uint8Array.from(text, (character) => {
    const code = character.codePointAt(0) as number;
    if (code > 255) throw new Error('bytes are written as characters above 255');
    return code;
  });
}
