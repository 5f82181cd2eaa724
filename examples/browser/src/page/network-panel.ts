import type { NetworkCard, WeightsSource } from '../protocol/sample.ts';
import { block, button, fillSelect, input, output, select } from './elements.ts';

/** Chosen weights: network, length of the average, and guide. */
export class NetworkPanel {
  readonly #network = select('network');
  readonly #class = select('class');
  readonly #length = input('length');
  readonly #guide = select('guide');
  readonly #guidance = input('guidance');
  #cards: readonly NetworkCard[] = [];
  /** A file of the chosen network's run that was offered as its guide. */
  #earlier: number | undefined;
  /** Whose length and guide the controls stand for. */
  #shown = -1;

  constructor() {
    this.#network.onchange = () => this.#showNetwork();
    this.#length.oninput = () => this.#showLength();
    this.#guidance.oninput = () => this.#showGuidance();
    this.#guide.onchange = () => this.#showGuidance();
    this.#showGuidance();
  }

  /** The chosen network; undefined as long as there is none. */
  get card(): NetworkCard | undefined {
    return this.#cards[Number(this.#network.value)];
  }

  get std(): number | undefined {
    return this.card?.lengths[Number(this.#length.value)];
  }

  get guide(): number | undefined {
    return this.#guide.value === '' ? undefined : Number(this.#guide.value);
  }

  get guidance(): number {
    return this.guide === undefined ? 1 : Number(this.#guidance.value);
  }

  /** The class of the picture at a place: the chosen one, or one after the other. */
  classOf(place: number): number {
    const count = this.card?.classes.length ?? 0;
    return this.#class.value === 'all' ? place % count : Number(this.#class.value);
  }

  setCards(cards: readonly NetworkCard[]): void {
    this.#cards = cards;
    this.#network.disabled = cards.length === 0;
    fillSelect(
      this.#network,
      cards.map(({ id, title, images }) => {
        const seen = images === undefined ? '' : `, ${images.toLocaleString('en')} images`;
        return { value: String(id), text: `${title}${seen}` };
      }),
    );
    this.#showNetwork();
  }

  /** Chooses a network that was opened just now. */
  choose(id: number): void {
    this.#network.value = String(id);
    this.#showNetwork();
  }

  #showNetwork(): void {
    const card = this.card;
    if (card === undefined) return;
    const { parameters, files, classes, lengths, id, resolution } = card;
    const averages = `${files.length} ${files.length === 1 ? 'file' : 'files'}`;
    block('network-hint').textContent =
      `${resolution} × ${resolution} pixels, ${parameters.toLocaleString('en')} weights, ${averages}`;
    const all = classes.length > 1 ? [{ value: 'all', text: 'every class' }] : [];
    fillSelect(this.#class, [...all, ...classes.map((text, i) => ({ value: String(i), text }))]);
    this.#class.disabled = classes.length === 0;
    const isNew = this.#shown !== id;
    const before = isNew ? undefined : this.#lengthBefore;
    this.#shown = id;
    this.#length.max = String(Math.max(0, lengths.length - 1));
    this.#length.disabled = lengths.length < 2;
    this.#length.value = String(nearest(lengths, before ?? 0.1));
    this.#showLength();
    this.#fillGuides(card, isNew);
  }

  #lengthBefore: number | undefined;

  #showLength(): void {
    const { std, card } = this;
    this.#lengthBefore = std;
    output('length-out').textContent = std?.toFixed(3) ?? '';
    const isStored = card?.files.some((file) => file.images === card.images && file.std === std);
    block('length-hint').textContent =
      std === undefined
        ? 'the file does not say which average it is'
        : (card?.lengths.length ?? 0) < 2
          ? 'one average: a second one of another length gives all between'
          : isStored
            ? 'tracked while it trained'
            : 'made after training, of the stored averages';
  }

  /** Files of other times or runs that make the same pictures; an earlier one of the same run is taken by itself. */
  #fillGuides(card: NetworkCard, isNew: boolean): void {
    const guides = this.#cards.flatMap((other) => {
      if (other.resolution !== card.resolution || other.channels !== card.channels) return [];
      if (other.classes.length !== 0 && other.classes.length !== card.classes.length) return [];
      return other.files
        .filter((file) => other.id !== card.id || file.images !== card.images)
        .map(({ id, images, std }) => {
          const seen = images === undefined ? '' : ` at ${images.toLocaleString('en')} images`;
          const average = std === undefined ? '' : ` (${std.toFixed(3)})`;
          return { value: String(id), text: `${other.id === card.id ? 'itself' : other.title}${seen}${average}` };
        });
    });
    fillSelect(this.#guide, [
      { value: '', text: guides.length === 0 ? 'no other network is open' : 'nothing' },
      ...guides,
    ]);
    const earlier = card.files.find(({ images }) => images !== card.images);
    if (isNew || (this.#earlier === undefined && earlier !== undefined)) this.#guide.value = String(earlier?.id ?? '');
    this.#earlier = earlier?.id;
    this.#guide.disabled = guides.length === 0;
    this.#showGuidance();
  }

  #showGuidance(): void {
    const value = this.guidance;
    this.#guidance.disabled = this.guide === undefined;
    output('guidance-out').textContent = this.guide === undefined ? '' : value === 1 ? 'none' : `× ${value.toFixed(1)}`;
  }
}

function nearest(lengths: readonly number[], wanted: number): number {
  return lengths.reduce((best, std, i) => {
    return Math.abs(std - wanted) < Math.abs((lengths[best] as number) - wanted) ? i : best;
  }, 0);
}

/** Lets files be opened: by the button, by address, or dropped on the page. */
export function startOpening(open: (source: WeightsSource) => void): void {
  const [files, url, drop] = [input('files'), input('url'), block('drop')];
  files.onchange = () => {
    for (const file of files.files ?? []) open({ file });
    files.value = '';
  };
  const openUrl = () => {
    if (url.value.trim() === '') url.focus();
    else open({ url: new URL(url.value.trim(), document.baseURI).href });
  };
  button('load-url').onclick = openUrl;
  url.onkeydown = (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    openUrl();
  };
  let depth = 0;
  const isFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true;
  addEventListener('dragenter', (event) => {
    if (!isFiles(event)) return;
    depth++;
    drop.hidden = false;
  });
  addEventListener('dragleave', (event) => {
    if (isFiles(event) && --depth === 0) drop.hidden = true;
  });
  addEventListener('dragover', (event) => {
    if (isFiles(event)) event.preventDefault();
  });
  addEventListener('drop', (event) => {
    if (!isFiles(event)) return;
    event.preventDefault();
    depth = 0;
    drop.hidden = true;
    for (const file of event.dataTransfer?.files ?? []) open({ file });
  });
}
