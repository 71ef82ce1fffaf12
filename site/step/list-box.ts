import { make } from "../shell/dom.ts";

/** An entry of a list: what stands in its three columns, and a mark before it. */
export interface Entry {
  readonly key: number;
  readonly columns: readonly [string, string, string];
  readonly color: string | null;
}

/** A part of a list, below a heading where it has one. */
export interface Part {
  readonly heading?: string;
  readonly entries: readonly Entry[];
}

/** A list of which one entry is chosen, by pointer or keys. */
export class ListBox {
  #options = new Map<number, HTMLElement>();
  #chosen: number | null = null;

  constructor(
    readonly host: HTMLElement,
    readonly onChoose: (key: number) => void,
  ) {
    host.addEventListener("keydown", (event) => this.#hear(event));
    host.addEventListener("click", ({ target }) => {
      const option = (target as Element).closest<HTMLElement>('[role="option"]');
      if (option) this.onChoose(Number(option.dataset.key));
    });
  }

  show(parts: readonly Part[]): void {
    this.#options = new Map();
    this.#chosen = null;
    this.host.removeAttribute("aria-activedescendant");
    this.host.replaceChildren(
      ...parts.flatMap(({ heading, entries }) => [
        ...(heading ? [this.#heading(heading)] : []),
        ...entries.map((entry) => this.#option(entry)),
      ]),
    );
  }

  /** Chooses an entry and marks others that belong to it; `reveal` brings the first of these in sight. */
  choose(key: number | null, marked: ReadonlySet<number>): void {
    this.#chosen = key;
    for (const [own, option] of this.#options) {
      option.setAttribute("aria-selected", String(own === key));
      option.classList.toggle("marked", marked.has(own));
    }
    const first = this.#options.get(key ?? Math.min(...marked));
    if (!first) return;
    if (key !== null) this.host.setAttribute("aria-activedescendant", first.id);
    else this.host.removeAttribute("aria-activedescendant");
    const { offsetTop, offsetHeight } = first;
    const { scrollTop, clientHeight } = this.host;
    const isSeen = offsetTop >= scrollTop && offsetTop + offsetHeight <= scrollTop + clientHeight;
    if (isSeen) return;
    // A row's own head is at the top, so that none is cut there.
    const tops = [...this.#options.values()].map((option) => option.offsetTop);
    this.host.scrollTop = Math.max(
      0,
      ...tops.filter((top) => top <= Math.max(0, offsetTop - clientHeight / 3)),
    );
  }

  #heading(text: string): HTMLElement {
    const heading = make("div", {}, text);
    heading.setAttribute("role", "presentation");
    return heading;
  }

  #option({ key, columns, color }: Entry): HTMLElement {
    const option = make("div", { id: `${this.host.id}-${key}` });
    option.append(...columns.map((text) => make("span", {}, text)));
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.dataset.key = String(key);
    if (color) option.style.setProperty("--own", color);
    this.#options.set(key, option);
    return option;
  }

  #hear(event: KeyboardEvent): void {
    const keys = [...this.#options.keys()];
    const at = keys.indexOf(this.#chosen ?? -1);
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: keys.length - 1,
    };
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const key = keys[Math.max(0, Math.min(keys.length - 1, to))];
    if (key !== undefined) this.onChoose(key);
  }
}
