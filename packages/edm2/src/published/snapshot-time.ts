/** When an average was taken, and its length, as the name of its file says. */
export interface SnapshotTime {
  readonly images: number | undefined;
  readonly std: number | undefined;
}

/**
 * Reads `...-0008388-0.050.pkl`. Names hold thousands of images, rounded down; images come in multiples of 1024, of which
 * there is one at most in a thousand.
 */
export function snapshotTime(file: string): SnapshotTime {
  const [, thousands, std] = /-(\d{7,})-(\d\.\d{3})\.[a-z]+$/.exec(file) ?? [];
  if (thousands === undefined) return { images: undefined, std: undefined };
  return { images: Math.floor((Number(thousands) * 1000 + 999) / 1024) * 1024, std: Number(std) };
}
