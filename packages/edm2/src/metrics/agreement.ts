/** How often guesses are right. */
export interface Agreement {
  /** Share of all. */
  readonly overall: number;
  /** Mean of the shares of the classes: rare ones count as much as common ones. */
  readonly classMean: number;
  /** Share of each class that occurs, by name. */
  readonly classes: Readonly<Record<string, number>>;
}

/**
 * The share of `guesses` that equal `labels`, over all and for each class: of a classifier on images it has not seen, its
 * accuracy; on samples, how many show the class that was asked for.
 *
 * @throws RangeError when there are none, the lengths differ, or a label has no name.
 * @example
 * ```ts
 * agreement([0, 1, 1], [0, 1, 0], ['cat', 'dog']); // { overall: 2 / 3, classMean: 0.75, classes: { cat: 0.5, dog: 1 } }
 * ```
 */
export function agreement(
  guesses: ArrayLike<number>,
  labels: ArrayLike<number>,
  classNames: readonly string[],
): Agreement {
  if (guesses.length !== labels.length || labels.length === 0) {
    throw new RangeError(`agreement: ${guesses.length} guesses for ${labels.length} labels`);
  }
  const counts = new Map(classNames.map((name) => [name, { right: 0, all: 0 }]));
  let right = 0;
  for (let i = 0; i < labels.length; i++) {
    const count = counts.get(classNames[labels[i]!] ?? '');
    if (count === undefined) throw new RangeError(`agreement: label ${labels[i]} has no name`);
    const isRight = guesses[i] === labels[i] ? 1 : 0;
    count.all++;
    count.right += isRight;
    right += isRight;
  }
  const shares = [...counts].filter(([, { all }]) => all > 0).map(([name, count]) => [name, count.right / count.all]);
  const classes = Object.fromEntries(shares) as Record<string, number>;
  const values = Object.values(classes);
  const classMean = values.reduce((sum, share) => sum + share, 0) / values.length;
  return { overall: right / labels.length, classMean, classes };
}
