/** The page's element of that id. */
export function element<E extends HTMLElement>(id: string, kind: new () => E): E {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} #${id}`);
}

export const button = (id: string) => element(id, HTMLButtonElement);
export const input = (id: string) => element(id, HTMLInputElement);
export const select = (id: string) => element(id, HTMLSelectElement);
export const output = (id: string) => element(id, HTMLOutputElement);
export const block = (id: string) => element(id, HTMLElement);

/** Fills a list, and keeps what was chosen where that is still in it. */
export function fillSelect(list: HTMLSelectElement, options: readonly { value: string; text: string }[]): void {
  const chosen = list.value;
  list.replaceChildren(...options.map(({ value, text }) => new Option(text, value)));
  if (options.some(({ value }) => value === chosen)) list.value = chosen;
}

/** Shows a line, or hides its place where there is none. */
export function showLine(place: HTMLElement, line: string | undefined): void {
  place.textContent = line ?? '';
  place.hidden = line === undefined;
}
