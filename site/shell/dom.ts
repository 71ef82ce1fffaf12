/** Finds an element of the page by its id, of a given kind. */
export function element<T extends HTMLElement = HTMLElement>(
  id: string,
  kind: new () => T = HTMLElement as unknown as new () => T,
): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`page: no ${kind.name} #${id}; expected one in index.html`);
}

/** Makes an element with text or children: `make("p", { className: "hint" }, "Drawn by hand")`. */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (string | Node)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** Makes a paragraph of text. */
export function paragraph(text: string): HTMLParagraphElement {
  return make("p", {}, text);
}

/** The drawing context of a canvas that is read often. */
export function context2d(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context) return context;
  throw new Error("page: the canvas gives no 2d context; expected one");
}

/** Paints 784 grey values, 0 (paper) to 255 (ink), as dark on light. */
export function paintDigit(canvas: HTMLCanvasElement, pixels: ArrayLike<number>): void {
  const image = new ImageData(28, 28);
  for (let i = 0; i < 784; i++) {
    image.data.fill(255 - pixels[i], 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  context2d(canvas).putImageData(image, 0, 0);
}

/** Formats a share as percent: 0.1234 as 12.3 %. */
export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)}\u202f%`;
}

/** Formats a number with so many digits behind the point, with a true minus sign: −1.50, and never −0.00. */
export function decimal(value: number, digits: number): string {
  const told = value.toFixed(digits);
  return Number(told) === 0 ? told.replace("-", "") : told.replace("-", MINUS);
}

/** Puts a true minus sign in place of each hyphen of a number that is written out. */
export function withMinus(told: string): string {
  return told.replaceAll("-", MINUS);
}

const MINUS = "\u2212";

/** Formats a whole number with commas. */
export function count(value: number): string {
  return value.toLocaleString("en");
}
