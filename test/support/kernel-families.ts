/** Every family of kernels, with problems and functions by which tests try each candidate. */
import type { Constants, Family, Kernel, KernelChoice, Problem } from "../../src/forms/kernel.ts";
import { argReduce } from "../../src/kernels/arg-reduce.ts";
import { attentionKeys, attentionQueries, attentionRows } from "../../src/kernels/attention.ts";
import { choicesOf } from "../../src/kernels/candidates.ts";
import { pointwiseGroups } from "../../src/kernels/elementwise.ts";
import { products } from "../../src/kernels/matmul.ts";
import { rowMoments } from "../../src/kernels/moments.ts";
import { placeRows } from "../../src/kernels/place-rows.ts";
import { plainKernels } from "../../src/kernels/plain.ts";
import type { ProductProblem } from "../../src/kernels/problems.ts";
import { reduce, reduceParts } from "../../src/kernels/reduce.ts";
import { scanNumbers, scanSteps } from "../../src/kernels/scan.ts";
import { scatteredSums } from "../../src/kernels/scatter-add.ts";
import { segmentSums, sortedPlaces } from "../../src/kernels/segment-sum.ts";
import { softmaxRows } from "../../src/kernels/softmax.ts";
import { mergeRuns, sortRuns } from "../../src/kernels/sort-runs.ts";
import type { OpPart } from "../../src/kernels/stage.ts";
import { standardRows } from "../../src/kernels/standardize.ts";
import { matrixProducts } from "../../src/kernels/subgroup-matrices.ts";
import { subgroupProducts } from "../../src/kernels/subgroup-products.ts";
import { laneKernels } from "../../src/kernels/subgroup-rows.ts";

/** A family, problems of it, and what an op adds to its kernels. */
export interface Tried {
  readonly family: Family;
  readonly problems: readonly Problem[];
  readonly own?: OpPart;
}

function tried<P extends Problem>(
  family: Family<P>,
  problems: readonly Omit<P, "dtype">[],
  functions?: Readonly<Record<string, string>>,
): Tried {
  return {
    family,
    problems: problems.map((sizes) => ({ dtype: "f32", ...sizes })),
    own: { functions },
  };
}

const rows = [
  { ROWS: 5, LENGTH: 100 },
  { ROWS: 1, LENGTH: 1000 },
];

const productSizes = [
  { BATCH: 2, M: 33, N: 7, K: 50 },
  { BATCH: 1, M: 64, N: 128, K: 64 },
];

const attention = [
  {
    ...{ BATCH: 2, ROWS: 70, LENGTH: 35, KEYS: 9, DEPTH: 6, WIDTH: 5 },
    ...{ CAUSAL: 1, MASKED: 1, DROPS: 1 },
  },
  {
    ...{ BATCH: 1, ROWS: 5, LENGTH: 5, KEYS: 40, DEPTH: 8, WIDTH: 4 },
    ...{ CAUSAL: 0, MASKED: 0, DROPS: 0 },
  },
  {
    ...{ BATCH: 1, ROWS: 6, LENGTH: 6, KEYS: 6, DEPTH: 32, WIDTH: 20 },
    ...{ CAUSAL: 1, MASKED: 0, DROPS: 0 },
  },
  {
    ...{ BATCH: 1, ROWS: 6, LENGTH: 6, KEYS: 6, DEPTH: 40, WIDTH: 12 },
    ...{ CAUSAL: 0, MASKED: 0, DROPS: 0 },
  },
];
const weighing = {
  scaled: "x * 0.5f",
  share: "select(0.0f, x * 2.0f, random_unit(bits) < 0.5f)",
};

/** The plain kernels of a family, as one of their own. */
export function plainFamily<P extends Problem>(family: Family<P>): Family<P> {
  const make = plainKernels[family.computes as "product"];
  const direct = family.kernels.find(({ kind }) => kind === "direct");
  return { ...family, kernels: make ? [make(direct as never) as Kernel as Kernel<P>] : [] };
}

/** Products by subgroups, which no rule chooses, as a family of their own. */
const subgroupFamily: Family<ProductProblem> = {
  ...products,
  kernels: [subgroupProducts({ least: 32, most: 32 }), matrixProducts(32)],
};

export const families: Readonly<Record<string, Tried>> = {
  pointwiseGroups: tried(pointwiseGroups, [{ SIZE: 1000 }]),
  reduce: tried(reduce, rows, { identity: "Acc()", combine: "a + b" }),
  plainReduce: tried(plainFamily(reduce), rows, { identity: "Acc()", combine: "a + b" }),
  reduceParts: tried(
    reduceParts,
    rows.map((sizes) => ({ ...sizes, CHUNK: 64 })),
    { identity: "Acc()", combine: "a + b" },
  ),
  argReduce: tried(argReduce, rows, { better: "a > b" }),
  softmax: tried(
    softmaxRows,
    rows.map((sizes) => ({ ...sizes, EACH: 1 })),
    { finish: "g_exp(x - maximum) / sum" },
  ),
  moments: tried(rowMoments, rows),
  standardize: tried(standardRows, rows, { scale_of: "1 / sqrt(variance)" }),
  scanNumbers: tried(scanNumbers, rows, { identity: "Acc()", combine: "a + b" }),
  scanSteps: tried(scanSteps, rows),
  sortRuns: tried(sortRuns, [{ ROWS: 3, LENGTH: 100, RUN: 70, KEEP: 9 }], {
    order_key: "order_key_f32(x, false)",
  }),
  mergeRuns: tried(mergeRuns, [{ ROWS: 3, LENGTH: 100, RUN: 32 }], {
    order_key: "order_key_f32(x, false)",
  }),
  placeRows: tried(placeRows, rows),
  matmul: tried(products, productSizes),
  plainMatmul: tried(plainFamily(products), productSizes),
  subgroupMatmul: tried(subgroupFamily, productSizes),
  attention: tried(attentionRows, attention, weighing),
  attentionQueries: tried(attentionQueries, attention, weighing),
  attentionKeys: tried(attentionKeys, attention, weighing),
  searchSorted: tried(sortedPlaces, [{ ROWS: 2, LENGTH: 100, COUNT: 50 }], {
    comes_before: "x < v",
  }),
  segmentSum: tried(segmentSums, [{ ROWS: 7, COLUMNS: 3, COUNT: 50 }]),
  scatterAdd: tried(scatteredSums, [{ ROWS: 7, COLUMNS: 3, COUNT: 50 }]),
};

/** The families whose rows lanes of a subgroup may own, with those kernels in the place of their own. */
export const laneFamilies: Readonly<Record<string, Tried>> = Object.fromEntries(
  Object.entries(families)
    .map(([name, tried]) => {
      const kernels = laneKernels(tried.family, 64, 1);
      return [`lanes of ${name}`, { ...tried, family: { ...tried.family, kernels } }] as const;
    })
    .filter(([, { family }]) => family.kernels.length > 0),
);

/** The first candidate of a kind that has what is wanted. */
export function candidateWith<P extends Problem>(
  family: Family<P>,
  kind: Kernel["kind"],
  wanted: Constants,
): KernelChoice<P> {
  const found = choicesOf(family).find(
    ({ kernel, candidate }) =>
      kernel.kind === kind && Object.keys(wanted).every((k) => candidate[k] === wanted[k]),
  );
  if (found) return found;
  throw new Error(`candidateWith: ${kind} ${JSON.stringify(wanted)}; expected a candidate`);
}
