/** What the populations learn: points of a plane in two or three classes. */
import iris from "../../examples/iris/iris.csv?raw";
import { planeData } from "../shell/plane-data.ts";

export interface Task {
  readonly title: string;
  /** `[x, y]`, −1 to 1. */
  readonly points: [number, number][];
  readonly labels: readonly number[];
  readonly classes: number;
  readonly text: string;
}

const CORNERS: [number, number][] = [
  [-0.6, -0.6],
  [0.6, 0.6],
  [-0.6, 0.6],
  [0.6, -0.6],
];

/** The petals of 150 irises, length and width, scaled to the plane. */
function petals(): Pick<Task, "points" | "labels"> {
  const species = ["setosa", "versicolor", "virginica"];
  const rows = iris.trim().split(/\r?\n/).slice(1);
  const cells = rows.map((row) => row.split(","));
  return {
    points: cells.map(([, , length, width]) => {
      return [(Number(length) - 4) / 3.4, (Number(width) - 1.3) / 1.4];
    }),
    labels: cells.map((row) => species.indexOf(row[4])),
  };
}

const plane = (name: "moons" | "circles") => {
  const { points, labels } = planeData(name, 120, { seed: 2 });
  return { points, labels, classes: 2 };
};

export const TASKS: Readonly<Record<TaskName, Task>> = {
  xor: {
    title: "XOR",
    points: CORNERS,
    labels: [0, 0, 1, 1],
    classes: 2,
    text: "Four points: one class where both inputs are alike, the other where they differ. No straight line parts them, so a net without a hidden layer cannot.",
  },
  iris: {
    title: "Iris",
    ...petals(),
    classes: 3,
    text: "150 flowers of three species by the length (across) and width (up) of their petals (Fisher, 1936, “The use of multiple measurements in taxonomic problems”). Blue is setosa, orange versicolor, green virginica.",
  },
  moons: {
    title: "Moons",
    ...plane("moons"),
    text: "Two half circles, each in the opening of the other.",
  },
  circles: {
    title: "Circles",
    ...plane("circles"),
    text: "A disk within a ring.",
  },
};

export const TASK_NAMES = ["xor", "iris", "moons", "circles"] as const;
export type TaskName = (typeof TASK_NAMES)[number];
