/** Thousands of images as files have them in their names: `0008388` for 8,388,608. */
export function kimgName(images: number): string {
  return String(Math.floor(images / 1000)).padStart(7, '0');
}
