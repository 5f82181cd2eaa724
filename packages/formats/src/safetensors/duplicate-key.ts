/**
 * The first key that some object of a valid JSON text holds twice, or undefined. `JSON.parse` keeps the last one
 * silently, which would hide a tensor.
 */
export function findDuplicateKey(json: string): string | undefined {
  const open: (Set<string> | null)[] = []; // a set of keys per open object, null per open array
  let expectsKey = false;
  for (let at = 0; at < json.length; at++) {
    const character = json[at]!;
    if (character === '"') {
      const start = at;
      at = closingQuote(json, start);
      const keys = open.at(-1);
      if (!expectsKey || !keys) continue;
      const key = JSON.parse(json.slice(start, at + 1)) as string;
      if (keys.has(key)) return key;
      keys.add(key);
      expectsKey = false;
    } else if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : null);
      expectsKey = character === '{';
    } else if (character === '}' || character === ']') open.pop();
    else if (character === ',') expectsKey = true; // in an array there is no set to look in
  }
  return undefined;
}

function closingQuote(json: string, opening: number): number {
  let at = opening + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at;
}
