import { readCsv } from "../csv/read-csv.ts";
import { TensorDataset } from "../data/tensor-dataset.ts";
import type { Tensor } from "../graph/tensor.ts";
import { tensor } from "../ops/creation.ts";
import { loadFile } from "./load-file.ts";
import { checkDatasetOptions, type DatasetOptions } from "./options.ts";

/** Lengths of flowers with their species. */
export interface IrisDataset {
  /** `features` f32 `[150, 4]` in cm, `labels` i32 `[150]`. */
  readonly data: TensorDataset<{ features: Tensor; labels: Tensor }>;
  /** What the columns of `features` are. */
  readonly names: readonly string[];
  /** What the labels 0, 1 and 2 mean. */
  readonly classes: readonly string[];
}

const SET = {
  folder: "iris",
  sources: ["https://archive.ics.uci.edu/ml/machine-learning-databases/iris/"],
};

// Length and checksum: TensorFlow Datasets, url_checksums.
const FILE = {
  name: "iris.data",
  bytes: 4_551,
  sha256: "6f608b71a7317216319b4d27b4d9bc84e6abd734eda7872b71a458569e2656c0",
};

const NAMES = ["sepal length", "sepal width", "petal length", "petal width"];

/** Rows of that file which are not as Fisher has them, and how they are, as UCI's page of it tells. */
const MENDED: readonly (readonly [
  row: number,
  given: readonly number[],
  meant: readonly number[],
])[] = [
  [34, [4.9, 3.1, 1.5, 0.1], [4.9, 3.1, 1.5, 0.2]],
  [37, [4.9, 3.1, 1.5, 0.1], [4.9, 3.6, 1.4, 0.1]],
];

/**
 * Loads Iris: four lengths of 150 flowers of three species. Two flowers that the published file has
 * otherwise are given as in Fisher's table, as R and scikit-learn have them.
 *
 * Source: Fisher 1936, "The use of multiple measurements in taxonomic problems", table I; the file is of
 * the UCI Machine Learning Repository, whose address lets no page of another read it: give `from` there.
 * @throws GradusError for a file that is not to be had or not the published one, other options, and when
 * `signal` stops it; FormatError for a file of another form.
 */
export async function loadIris(
  options: DatasetOptions = {},
  ...surplus: never[]
): Promise<IrisDataset> {
  checkDatasetOptions("loadIris", options, surplus);
  const text = await loadFile("loadIris", SET, FILE, options);
  const table = readCsv(text, { names: [...NAMES, "species"], labels: ["species"] });
  const values = table.matrix();
  for (const [row, given, meant] of MENDED) {
    const own = values.subarray(4 * row, 4 * row + 4);
    if (given.every((value, i) => Math.fround(value) === own[i])) own.set(meant);
  }
  const { device } = options;
  const species = table.labels.get("species") as {
    indices: Int32Array;
    classes: readonly string[];
  };
  const features = tensor(values, { shape: [table.size, NAMES.length], device });
  const labels = tensor(species.indices, { device });
  return {
    data: new TensorDataset({ features, labels }),
    names: NAMES,
    classes: species.classes.map((name) => name.replace(/^Iris-/, "")),
  };
}
