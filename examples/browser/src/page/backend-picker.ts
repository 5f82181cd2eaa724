import { type BackendName, backendLabels, backendNames, type Missing } from '../protocol/backend.ts';
import { block, select, showLine } from './elements.ts';

/** The list of what can compute; what cannot be had here is in it with the reason, and cannot be chosen. */
export class BackendPicker {
  readonly #list = select('backend');
  readonly #note = block('machine-note');

  constructor() {
    this.#fill({});
    const wanted = new URLSearchParams(location.search).get('backend');
    if (backendNames.some((name) => name === wanted)) this.#list.value = wanted as string;
  }

  get chosen(): BackendName {
    return this.#list.value as BackendName;
  }

  /** Told once it is known. */
  setMissing(missing: Missing): void {
    const wanted = this.chosen;
    this.#fill(missing);
    const lines = Object.entries(missing).map(([name, reason]) => `${backendLabels[name as BackendName]}: ${reason}.`);
    if (wanted in missing) this.#list.value = backendNames.find((name) => !(name in missing)) as string;
    if (!crossOriginIsolated && !('wasm' in missing)) {
      lines.push('WebAssembly has one thread: the server does not isolate the page (COOP and COEP headers).');
    }
    showLine(this.#note, lines.length === 0 ? undefined : lines.join(' '));
  }

  #fill(missing: Missing): void {
    const chosen = this.#list.value;
    this.#list.replaceChildren(
      ...backendNames.map((name) => {
        const reason = missing[name];
        const option = new Option(
          reason === undefined ? backendLabels[name] : `${backendLabels[name]} (not here)`,
          name,
        );
        option.disabled = reason !== undefined;
        if (reason !== undefined) option.title = reason;
        return option;
      }),
    );
    if (chosen !== '') this.#list.value = chosen;
  }
}
