/** One example on its way through the layers. */
import { decimal, element, make, paintDigit, percent } from "../shell/dom.ts";
import { complain, number } from "../shell/settings.ts";
import { paintPictures } from "./sight.ts";
import type { TaskReport } from "./task.ts";
import type { LayerValues } from "./views.ts";

const chooser = element("example", HTMLInputElement);
const picture = element("example-picture", HTMLCanvasElement);

/** Chooses the example and shows what each layer makes of it. */
export class Inside {
  /** A place on the plane that was pressed, in place of a test example. */
  #place: Float32Array | null = null;
  #task: TaskReport | null = null;
  #index = 0;
  /** The layers that there is room for. */
  #laidOut = "";

  constructor(onChange: () => void) {
    chooser.addEventListener("input", () => {
      const { read, rule } = number(0, { min: 0, max: Number(chooser.max), integer: true });
      const index = read(chooser.value);
      complain(chooser, index === null ? rule : "");
      if (index === null) return;
      this.#index = index;
      this.#place = null;
      onChange();
    });
  }

  set task(task: TaskReport) {
    this.#task = task;
    this.#place = null;
    chooser.max = String(task.testSize - 1);
    if (this.#index >= task.testSize) this.#index = 0;
    chooser.value = String(this.#index);
    complain(chooser, "");
  }

  /** Lays out what layers of a kind of task give, where other ones are shown now. */
  makeRoom(kind: TaskReport["kind"], layers: readonly LayerValues[]): void {
    picture.hidden = kind !== "pictures";
    element("example-hint").hidden = kind !== "plane";
    const laidOut = layers.map(({ name, values }) => `${name} ${values.length}`).join();
    if (laidOut === this.#laidOut) return;
    this.#laidOut = laidOut;
    this.#showLayers(layers, () => "");
  }

  set place(place: readonly [number, number]) {
    this.#place = Float32Array.from(place);
  }

  get place(): Float32Array | null {
    return this.#place;
  }

  get index(): number {
    return this.#index;
  }

  show(input: Float32Array, target: number | null, layers: readonly LayerValues[]): void {
    const { classes, kind } = this.#task as TaskReport;
    if (kind === "pictures")
      paintDigit(
        picture,
        input.map((x) => 255 * x),
      );
    this.#showLayers(layers, ({ values }, isLast) =>
      isLast ? outcome(values, target, classes) : range(values),
    );
  }

  /** @param tell says what the values of a layer come to. */
  #showLayers(
    layers: readonly LayerValues[],
    tell: (layer: LayerValues, isLast: boolean) => string,
  ): void {
    const host = element("activations");
    while (host.children.length > layers.length) host.lastElementChild?.remove();
    layers.forEach((layer, i) => {
      const figure = (host.children[i] as HTMLElement | undefined) ?? makeStrip(host);
      const [pictures, caption] = [...figure.children] as HTMLElement[];
      const { name, values, side } = layer;
      const isLast = i === layers.length - 1;
      const told = tell(layer, isLast);
      const what = isLast ? "Outcome" : `${name}, ${sizeOf(layer)}`;
      caption.textContent = told === "" ? what : `${what}: ${told}`;
      pictures.className = side ? "neurons" : "strip";
      if (side) paintPictures(pictures, mapsOf(layer), { of: "Map", isShared: true });
      else {
        // The first of the plane's two classes is the blue one, as what is below zero.
        const isPlane = isLast && this.#task?.kind === "plane" && this.#task.classes;
        const shown = isPlane ? values.map((p, k) => (k === 0 ? -p : p)) : values;
        paintStrip(pictures, shown, caption.textContent);
      }
    });
  }
}

function makeStrip(host: HTMLElement): HTMLElement {
  const figure = make("figure", {}, make("div"), make("figcaption"));
  host.append(figure);
  return figure;
}

function paintStrip(host: HTMLElement, values: Float32Array, label: string): void {
  const width = Math.min(values.length, 32);
  paintPictures(host, [values], { width });
  const canvas = host.firstElementChild as HTMLCanvasElement;
  canvas.setAttribute("aria-label", label);
  canvas.style.maxWidth = `${width * 1.5}rem`;
}

/** The maps of a convolution or a pooling; none of other layers. */
export function mapsOf({ values, side }: LayerValues): Float32Array[] {
  if (!side) return [];
  return Array.from({ length: values.length / side ** 2 }, (_, i) =>
    values.subarray(i * side ** 2, (i + 1) * side ** 2),
  );
}

function sizeOf({ values, side }: LayerValues): string {
  return side
    ? `${values.length / side ** 2} maps of ${side} × ${side}`
    : `${values.length} neurons`;
}

function range(values: Float32Array): string {
  return `from ${decimal(Math.min(...values), 2)} to ${decimal(Math.max(...values), 2)}`;
}

function outcome(
  values: Float32Array,
  target: number | null,
  classes: readonly string[] | null,
): string {
  if (!classes) {
    const wanted = target === null ? "" : `, wanted ${decimal(target, 3)}`;
    return `${decimal(values[0], 3)}${wanted}`;
  }
  const best = values.indexOf(Math.max(...values));
  const wanted = target === null ? "" : `; it is ${classes[target]}`;
  return `${classes[best]}, ${percent(values[best])} sure${wanted}`;
}
