/** What a run is going to show, so that there is room for it before its first results. */
import {
  type Chosen,
  type DataName,
  isDigits,
  isPictures,
  isPlane,
  layerSizes,
  NEURONS_SHOWN,
} from "./choices.ts";
import { MISTAKES_SHOWN } from "./judge.ts";
import type { TaskReport } from "./task.ts";
import type { LayerValues } from "./views.ts";

/** What the room that a task needs follows from. */
export type Outline = Pick<TaskReport, "kind" | "classes" | "testSize">;

/** What small pictures there are of a network: of neurons or of filters, each with a map beside it. */
export interface SmallPictures {
  readonly count: number;
  /** The side of a filter in weights; null for neurons. */
  readonly kernel: number | null;
}

/** The outline of a task of some data, for a table that of irises; null where only the files can tell. */
export function usualOutline(data: DataName): Outline | null {
  if (isPlane(data)) return { kind: "plane", classes: PLANE_CLASSES, testSize: 100 };
  if (data === "curve") return { kind: "curve", classes: null, testSize: 50 };
  if (data === "csv") return { kind: "table", classes: IRISES, testSize: 37 };
  return isDigits(data) ? { kind: "pictures", classes: DIGITS, testSize: MISTAKES_SHOWN } : null;
}

const IRISES = ["setosa", "versicolor", "virginica"];

/** The names of the classes of points on a plane, and of digits. */
export const PLANE_CLASSES = ["blue", "orange"] as const;
export const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));

const filtersOf = ({ convolutions, data }: Chosen) =>
  isPictures(data) ? layerSizes(convolutions) : [];

/** The small pictures of the network that is chosen. */
export function smallPicturesOf(chosen: Chosen, { kind, classes }: Outline): SmallPictures {
  const hidden = layerSizes(chosen.layers);
  const [filters] = filtersOf(chosen);
  const shown = (count: number) => Math.min(NEURONS_SHOWN, count);
  if (kind === "plane") {
    return { count: hidden.reduce((sum, size) => sum + shown(size), 0), kernel: null };
  }
  return filters
    ? { count: 2 * shown(filters), kernel: Number(chosen.kernel) }
    : { count: shown(hidden[0] ?? classes?.length ?? 1), kernel: null };
}

/** What the layers of the network that is chosen give, each value 0 still. */
export function emptyLayersOf(chosen: Chosen, { classes }: Outline): LayerValues[] {
  const layers: LayerValues[] = [];
  let side = 28;
  for (const [i, filters] of filtersOf(chosen).entries()) {
    for (const kind of ["Convolution", "Pooling"]) {
      if (kind === "Pooling") side = Math.floor(side / 2);
      const values = new Float32Array(filters * side ** 2);
      layers.push({ name: `${kind} ${i + 1}`, values, side });
    }
  }
  for (const [i, size] of [...layerSizes(chosen.layers), classes?.length ?? 1].entries()) {
    layers.push({ name: `Layer ${i + 1}`, values: new Float32Array(size), side: null });
  }
  return layers;
}
