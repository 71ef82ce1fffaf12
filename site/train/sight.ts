/** The main picture: the decision surface, the curve, or the weights. */
import { fit, paintClasses, paintPoints } from "../shell/canvas.ts";
import { element, make } from "../shell/dom.ts";
import { Picture } from "../shell/plot.ts";
import { onTheme, rgb } from "../shell/theme.ts";
import type { SmallPictures } from "./room.ts";
import type { TaskReport } from "./task.ts";
import type { PlaneView } from "./views.ts";

/** Squares of the surface along a side, and of a neuron's picture. */
export const SIDE = 56;
export const SMALL = 20;

const plane = element("plane", HTMLCanvasElement);

/** Shows what the network makes of its inputs. */
export class Sight {
  readonly #curve = new Picture(element("curve"), "The curve that the network gives", 420);
  readonly #table = new Picture(element("table-weights"), "The weights of the first layer", 420);
  #task: TaskReport | null = null;
  #view: PlaneView | null = null;
  #weights: readonly Float32Array[] = [];
  #maps: readonly Float32Array[] = [];
  #values: Float32Array | null = null;

  constructor(onPress: (x: number, y: number) => void) {
    onTheme(() => this.#paint());
    new ResizeObserver(() => this.#paint()).observe(plane);
    plane.addEventListener("pointerdown", ({ clientX, clientY }) => {
      const { left, top, width, height } = plane.getBoundingClientRect();
      onPress((2 * (clientX - left)) / width - 1, 1 - (2 * (clientY - top)) / height);
    });
  }

  /** Makes room for a kind of task and the small pictures of a network. */
  makeRoom(kind: TaskReport["kind"], { count, kernel }: SmallPictures): void {
    if (this.#task?.kind !== kind) this.#task = null; // what it showed is out of sight
    if (this.#view) this.#view = { ...this.#view, neurons: [] };
    this.#weights = [];
    plane.hidden = kind !== "plane";
    element("curve").hidden = kind !== "curve";
    element("weights").hidden = kind !== "pictures";
    element("table-weights").hidden = kind !== "table";
    element("neurons").hidden = kind !== "plane" || count === 0;
    element("sight-caption").textContent = kernel ? filterCaption(kernel) : CAPTIONS[kind];
    if (kind === "plane") placesOf(element("neurons"), count, "Neuron");
    if (kind !== "pictures") return;
    element("weights").classList.toggle("filters", kernel !== null);
    placesOf(element("weights"), count, kernel ? "Picture" : "Neuron");
  }

  /** What is to be shown, in the room that was made for it. */
  set task(task: TaskReport) {
    if (this.#task?.kind !== task.kind || task.kind !== "plane") this.#view = null;
    this.#task = task;
    this.#values = null;
    this.#paint();
  }

  showPlane(view: PlaneView): void {
    this.#view = view;
    this.#paint();
  }

  showCurve(values: Float32Array): void {
    this.#values = values;
    this.#paint();
  }

  /** @param maps what the filters of a convolution find in an example; none for neurons. */
  showWeights(weights: readonly Float32Array[], maps: readonly Float32Array[]): void {
    this.#weights = weights;
    this.#maps = maps;
    this.#paint();
  }

  #paint(): void {
    const kind = this.#task?.kind;
    if (kind === "plane") this.#paintPlane(this.#task as TaskReport);
    else if (kind === "curve") this.#paintCurve(this.#task as TaskReport);
    else if (kind === "pictures") this.#paintWeights();
    else if (kind === "table") this.#paintTable(this.#task as TaskReport);
  }

  #paintWeights(): void {
    const side = Math.sqrt(this.#weights[0]?.length ?? 0);
    if (side === 0) return;
    const isFilters = side < 28;
    const host = element("weights");
    // A filter and its map are neighbours.
    const pairs = this.#weights.flatMap((filter, i) => [filter, this.#maps[i] ?? filter]);
    paintPictures(host, isFilters ? pairs : this.#weights, {
      of: isFilters ? "Picture" : "Neuron",
    });
    if (!isFilters) return;
    this.#weights.forEach((_, i) => {
      host.children[2 * i].setAttribute("aria-label", `Filter ${i + 1}`);
      host.children[2 * i + 1].setAttribute("aria-label", `What filter ${i + 1} finds`);
    });
  }

  #paintPlane({ classes, shown }: TaskReport): void {
    if (this.#view) paintClasses(plane, this.#view.surface, SIDE, classes?.length ?? 2);
    else {
      const context = fit(plane);
      context.clearRect(0, 0, plane.width, plane.height);
    }
    for (const [part, hollow] of [
      ["train", false],
      ["test", true],
    ] as const) {
      const { x, t } = shown?.[part] ?? { x: [], t: [] };
      const points = Array.from(t, (_, i) => [x[2 * i], x[2 * i + 1]] as [number, number]);
      paintPoints(plane, points, t, { hollow, radius: 3.2 });
    }
    const neurons = this.#view?.neurons.flat() ?? [];
    if (neurons.length > 0) paintPictures(element("neurons"), neurons);
  }

  #paintCurve({ shown }: TaskReport): void {
    if (!shown) return;
    const values = this.#values;
    const rows = (part: "train" | "test") =>
      Array.from(shown[part].t, (y, i) => ({ x: shown[part].x[i], y }));
    const line = Array.from(values ?? [], (y, i) => ({
      x: (2 * i) / ((values?.length ?? 2) - 1) - 1,
      y,
    }));
    void this.#curve.draw((Plot, width) =>
      Plot.plot({
        width,
        height: 420,
        grid: true,
        y: { domain: [-1.1, 1.1] },
        marks: [
          Plot.dot(rows("train"), { x: "x", y: "y", r: 2.5, fill: "var(--accent)" }),
          Plot.dot(rows("test"), { x: "x", y: "y", r: 2.5, stroke: "var(--accent)" }),
          Plot.line(line, { x: "x", y: "y", stroke: "var(--second)", strokeWidth: 2.5 }),
        ],
      }),
    );
  }

  #paintTable({ columns = [] }: TaskReport): void {
    const cells = this.#weights.flatMap((row, neuron) =>
      Array.from(row, (weight, i) => ({ neuron: neuron + 1, input: columns[i], weight })),
    );
    void this.#table.draw((Plot, width) =>
      Plot.plot({
        width,
        height: 420,
        marginLeft: 110,
        x: { label: "Neuron of the first layer" },
        y: { label: null },
        marks: [
          Plot.cell(cells, {
            x: "neuron",
            y: "input",
            fill: (d: { weight: number }) => mixOf(d.weight),
            inset: 0.5,
          }),
        ],
      }),
    );
  }
}

const CAPTIONS: Readonly<Record<TaskReport["kind"], string>> = {
  plane:
    "What each place is taken for, the fainter the less sure. Full points are trained with, hollow ones only tested. Below: the hidden neurons, each over the same plane.",
  curve:
    "The network’s curve through the examples: full ones are trained with, hollow ones only tested.",
  pictures:
    "What the first layer’s neurons look for: their weights over the 28 × 28 pixels, blue below zero, orange above.",
  table: "The weights of the first layer: blue below zero, orange above.",
};

function filterCaption(side: number): string {
  return `The first convolution’s filters, ${side} × ${side} weights each, blue below zero, orange above, and beside each what it finds in the example below.`;
}

/** A weight as a colour of the page. */
function mixOf(weight: number): string {
  const share = Math.round(100 * Math.min(1, Math.abs(weight)));
  return `color-mix(in srgb, var(${weight < 0 ? "--accent" : "--second"}) ${share}%, var(--card))`;
}

/** How small pictures are shown. */
interface PictureOptions {
  /** Values in a line; as many as there are lines when left out. */
  readonly width?: number;
  /** What they are called, such as Neuron 3. */
  readonly of?: string;
  /** Whether all have one scale; each its own when left out. */
  readonly isShared?: boolean;
}

/** Makes places for so many small pictures: what stands in those that there are stays. */
function placesOf(host: HTMLElement, count: number, of: string): void {
  while (host.children.length > count) host.lastElementChild?.remove();
  while (host.children.length < count) {
    const canvas = make("canvas");
    canvas.setAttribute("role", "img");
    host.append(canvas);
  }
  [...host.children].forEach((canvas, i) => {
    canvas.setAttribute("aria-label", `${of} ${i + 1}`);
  });
}

/** Shows rows of values as small pictures. */
export function paintPictures(
  host: HTMLElement,
  rows: readonly Float32Array[],
  { width, of = "Neuron", isShared = false }: PictureOptions = {},
): void {
  placesOf(host, rows.length, of);
  const shared = isShared ? Math.max(...rows.map(largestOf)) : null;
  rows.forEach((row, i) => {
    const canvas = host.children[i] as HTMLCanvasElement;
    paintValues(canvas, row, width ?? Math.sqrt(row.length), shared ?? largestOf(row));
  });
}

function largestOf(values: Float32Array): number {
  return values.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-9);
}

/** Paints values around zero in the two colours, the largest in full. */
function paintValues(
  canvas: HTMLCanvasElement,
  values: Float32Array,
  width: number,
  most: number,
): void {
  const [low, high, paper] = [rgb("--accent"), rgb("--second"), rgb("--card")];
  const height = Math.ceil(values.length / width);
  const image = new ImageData(width, height);
  for (let i = 0; i < values.length; i++) {
    const share = Math.min(1, Math.abs(values[i]) / most);
    const toward = values[i] < 0 ? low : high;
    for (let k = 0; k < 3; k++) image.data[4 * i + k] = paper[k] + share * (toward[k] - paper[k]);
    image.data[4 * i + 3] = 255;
  }
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}
