/** Calls that families of kernels compute, by which each of their candidates is tried. */
import type { Family, KernelChoice } from "../../src/forms/kernel.ts";
import {
  add,
  argmax,
  broadcastTo,
  cumProd,
  cumSum,
  gather,
  grad,
  layerNorm,
  logSumExp,
  matmul,
  moments,
  mul,
  reshape,
  scaledDotProductAttention,
  searchSorted,
  slice,
  softmax,
  sort,
  sum,
  type Tensor,
  tanh,
} from "../../src/index.ts";
import { argReduce } from "../../src/kernels/arg-reduce.ts";
import { attentionKeys, attentionQueries, attentionRows } from "../../src/kernels/attention.ts";
import { choicesOf } from "../../src/kernels/candidates.ts";
import { pointwiseGroups } from "../../src/kernels/elementwise.ts";
import { products } from "../../src/kernels/matmul.ts";
import { rowMoments } from "../../src/kernels/moments.ts";
import { placeRows } from "../../src/kernels/place-rows.ts";
import { ofProducts } from "../../src/kernels/product-rows.ts";
import { reduce, reduceParts } from "../../src/kernels/reduce.ts";
import { scanNumbers, scanSteps } from "../../src/kernels/scan.ts";
import { scatteredSums } from "../../src/kernels/scatter-add.ts";
import { segmentSums, sortedPlaces } from "../../src/kernels/segment-sum.ts";
import { softmaxRows } from "../../src/kernels/softmax.ts";
import { mergeRuns, sortRuns } from "../../src/kernels/sort-runs.ts";
import { standardRows } from "../../src/kernels/standardize.ts";
import type { SubgroupSizes } from "../../src/kernels/subgroup-products.ts";
import { subgroupChoices } from "../../src/kernels/subgroup-trees.ts";
import { plainFamily } from "./kernel-families.ts";

/** What a family computes of x `[rows, columns]` and of some row numbers. */
export interface FamilyCall {
  readonly family: Family;
  readonly run: (x: Tensor, indices: Tensor) => Tensor;
  /** What the absolute tolerance of 1e-6 is multiplied with; 1 when left out. */
  readonly scale?: number;
  /** Kernels that take the place of the family's own; none when left out. */
  readonly plain?: Family;
}

/** All ways to compute what a call does; those by subgroups too, where there are any. */
export function waysOf(
  { family, plain = family }: FamilyCall,
  lanes?: SubgroupSizes,
): KernelChoice[] {
  return [...choicesOf(plain), ...(lanes ? subgroupChoices(plain, lanes) : [])];
}

function call(
  family: Family<never>,
  run: (x: Tensor, indices: Tensor) => Tensor,
  scale?: number,
): FamilyCall {
  return { family: family as unknown as Family, run, scale };
}

/** A call by the plain kernels of its family. */
function plainly(own: FamilyCall): FamilyCall {
  return { ...own, plain: plainFamily(own.family) };
}

const sums = call(reduce, (x) => sum(x, { axis: 1 }));
const multiplied = call(products, (x) => matmul(x, add(x, 1).transpose()), 600);

/** Rows times the transposes of the first ten of them, by some of their elements. */
function classified(x: Tensor): Tensor {
  const [rows, columns] = x.shape.map((size, axis) => Math.min(size, [10, 50][axis]));
  const part = (end: number) => slice(x, [{ end }, { end: columns }]);
  return matmul(part(x.shape[0]), part(rows).transpose());
}

/** Attention of rows to rows, 16 numbers each. */
function attend(x: Tensor): Tensor {
  const part = (start: number) => slice(x, [{}, { start, end: start + 16 }]);
  return scaledDotProductAttention(part(0), part(3), part(7), { causal: true });
}

/** A gradient of attention by all that it is computed of. */
const attended = (x: Tensor) => grad(sum(mul(attend(x), attend(x))), [x])[0];

/** Calls by their names; each has most candidates of its family among those that it needs. */
export const familyCalls: Readonly<Record<string, FamilyCall>> = {
  "pointwise group": call(pointwiseGroups, (x) => add(tanh(mul(x, x)), x)),
  sum: sums,
  "plain sum": plainly(sums),
  "sum of a long row": call(reduceParts, (x) => sum(reshape(x, [1, x.size]), { axis: 1 }), 50),
  argmax: call(argReduce, (x) => argmax(x, { axis: 1 })),
  softmax: call(softmaxRows, (x) => softmax(x)),
  "softmax of a product": call(ofProducts(softmaxRows) as Family<never>, (x) =>
    softmax(classified(x)),
  ),
  "logSumExp of a product": call(ofProducts(softmaxRows) as Family<never>, (x) =>
    logSumExp(classified(x), { axis: 1 }),
  ),
  logSumExp: call(softmaxRows, (x) => logSumExp(x, { axis: 1 })),
  variance: call(rowMoments, (x) => moments(x, { axis: 1 }).variance),
  layerNorm: call(standardRows, (x) => layerNorm(x, x.shape[1])),
  cumSum: call(scanNumbers, (x) => cumSum(mul(x, 0.1)), 4),
  "gradient of cumProd": call(scanSteps, (x) => {
    const near = add(mul(x, 0.01), 1);
    return grad(sum(mul(cumProd(near), 0.01)), [near])[0];
  }),
  sort: call(sortRuns, (x) => sort(x).values),
  "sort of long rows": call(mergeRuns, (x) => sort(reshape(x, [1, x.size])).values),
  "gradient of sort": call(placeRows, (x) => grad(sum(mul(sort(x).values, x)), [x])[0]),
  searchSorted: call(sortedPlaces, (x) => searchSorted(sort(x).values, x)),
  matmul: multiplied,
  "plain matmul": plainly(multiplied),
  attention: call(attentionRows, attend, 4),
  "gradient of attention by queries": call(attentionQueries, attended, 16),
  "gradient of attention by keys": call(attentionKeys, attended, 16),
  "gradient of gather": call(scatteredSums, (x, i) => grad(sum(mul(gather(x, i), 2)), [x])[0]),
  "gradient of a large gather": call(segmentSums, (x, i) => {
    const many = broadcastTo(reshape(i, [1, i.size]), [400, i.size]);
    return grad(sum(mul(gather(x, many), 2)), [x])[0];
  }),
};
