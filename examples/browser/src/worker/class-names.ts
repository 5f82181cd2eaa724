/** Names of the classes of data sets that have them. */
const known: Readonly<Record<string, readonly string[]>> = {
  emoji16: ['person', 'animal', 'plant', 'food', 'vehicle', 'flag', 'hand', 'face', 'symbol', 'clock'],
};

/** A name for each class of a network. */
export function classNames(labelDim: number, dataset: string | undefined): readonly string[] {
  const names = known[dataset ?? ''];
  return names?.length === labelDim ? names : Array.from({ length: labelDim }, (_, i) => `class ${i}`);
}
