import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as jax from "@jax-js/jax";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import * as gradus from "../../src/index.ts";
import * as losses from "../../src/losses/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import * as pictures from "../../src/pictures/index.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/coming-from.md"), "utf8");

/** A row's cells, each the names in it. */
type Row = readonly (readonly string[])[];

/** The rows of all tables whose first column has a heading, by their headings. */
function rowsOf(first: string): { headings: readonly string[]; cells: Row }[] {
  const rows: { headings: readonly string[]; cells: Row }[] = [];
  let headings: string[] | null = null;
  for (const line of page.split("\n")) {
    const cells = line.startsWith("|") ? line.slice(1, -1).split("|") : null;
    if (!cells) headings = null;
    else if (!headings) headings = cells.map((cell) => cell.trim());
    else if (headings[0] === first && !cells[0].startsWith("---")) {
      const names = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
      rows.push({ headings, cells: cells.map(names) });
    }
  }
  return rows;
}

const rows = rowsOf("Gradus");

function namesIn(heading: string): string[] {
  return rows.flatMap(({ headings, cells }) => cells[headings.indexOf(heading)] ?? []);
}

test("every public function of tensors, layers, losses and optimizers has one row", () => {
  const errors = Object.keys(gradus).filter((name) => name.endsWith("Error"));
  const all = [gradus, nn, losses, optim, pictures].flatMap((entry) => Object.keys(entry));
  expect(namesIn("Gradus").toSorted()).toEqual(all.filter((x) => !errors.includes(x)).toSorted());
});

/** What a name with dots stands for. */
function found(root: object, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((x, name) => (x as Record<string, unknown> | undefined)?.[name], root);
}

test("the names of TensorFlow.js and jax-js are there, but for its layers, which come apart", () => {
  const elsewhere = /^(layers|initializers|metrics|sequential|LayersModel)\b/;
  const ofTensorflow = namesIn("TensorFlow.js").filter((name) => !elsewhere.test(name));
  expect(ofTensorflow.length).toBeGreaterThan(100);
  expect(ofTensorflow.filter((name) => found(tf, name) === undefined)).toEqual([]);
  const ofJax = namesIn("jax-js").map((name) => name.replace(/^np\./, "numpy."));
  expect(ofJax.length).toBeGreaterThan(100);
  expect(ofJax.filter((name) => found(jax, name) === undefined)).toEqual([]);
});

/** The functions of the Array API standard, 2024.12, linear algebra and Fourier transforms left out. */
const STANDARD = `
  abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_invert bitwise_or
  bitwise_right_shift bitwise_xor ceil clip conj copysign cos cosh divide equal exp expm1 floor
  floor_divide greater greater_equal hypot imag isfinite isinf isnan less less_equal log log1p log2
  log10 logaddexp logical_and logical_not logical_or logical_xor maximum minimum multiply negative
  nextafter not_equal positive pow real reciprocal remainder round sign signbit sin sinh square sqrt
  subtract tan tanh trunc
  arange asarray empty empty_like eye from_dlpack full full_like linspace meshgrid ones ones_like tril
  triu zeros zeros_like
  astype broadcast_arrays broadcast_to can_cast finfo iinfo isdtype result_type
  take take_along_axis
  matmul matrix_transpose tensordot vecdot
  concat expand_dims flip moveaxis permute_dims repeat reshape roll squeeze stack tile unstack
  argmax argmin count_nonzero nonzero searchsorted where
  unique_all unique_counts unique_inverse unique_values
  argsort sort
  cumulative_prod cumulative_sum max mean min prod std sum var
  all any diff
`;

test("each function of the Array API standard is in a row or among those that are not here", () => {
  const here = new Set(namesIn("NumPy"));
  const missing = rowsOf("standard").flatMap(({ cells }) => cells[0]);
  const standard = STANDARD.trim().split(/\s+/);
  expect(standard.filter((name) => !here.has(name) && !missing.includes(name))).toEqual([]);
  expect(missing.filter((name) => !standard.includes(name))).toEqual([]);
});
