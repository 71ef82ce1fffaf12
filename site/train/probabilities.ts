import { element, percent } from "../shell/dom.ts";

/** Ten bars with numbers, one a digit. */
export class Probabilities {
  readonly #rows = Array.from({ length: 10 }, (_, digit) => makeRow(digit));
  readonly #answer = element("answer");

  constructor() {
    element("probabilities").append(...this.#rows.map(({ item }) => item));
  }

  /** Shows the probabilities, or none. */
  show(probabilities: Float32Array | null): void {
    const best = probabilities ? Math.max(...probabilities) : Number.NaN;
    this.#rows.forEach(({ item, bar, number }, digit) => {
      const p = probabilities?.[digit] ?? 0;
      bar.style.inlineSize = `${100 * p}%`;
      number.textContent = probabilities ? percent(p) : "–";
      item.classList.toggle("best", p === best);
      item.dataset.probability = String(p);
    });
    if (!probabilities) return;
    this.say(`Looks like ${probabilities.indexOf(best)}.`);
  }

  /** Puts a line under the bars. */
  say(text: string): void {
    this.#answer.textContent = text;
  }
}

function makeRow(digit: number) {
  const item = document.createElement("li");
  const name = document.createElement("span");
  name.className = "digit";
  name.textContent = String(digit);
  const track = document.createElement("span");
  track.className = "track";
  const bar = document.createElement("span");
  track.append(bar);
  const number = document.createElement("span");
  number.className = "number";
  number.textContent = "–";
  item.append(name, track, number);
  return { item, bar, number };
}
