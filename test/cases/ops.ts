import type * as ops from "../../src/ops/index.ts";
import type { OpCase } from "../support/op-case.ts";
import { activationsCases } from "./ops/activations.ts";
import { alongAxisCases } from "./ops/along-axis.ts";
import { alphaDropoutCases } from "./ops/alpha-dropout.ts";
import { arithmeticCases } from "./ops/arithmetic.ts";
import { atCases } from "./ops/at.ts";
import { attentionCases } from "./ops/attention.ts";
import { axesCases } from "./ops/axes.ts";
import { batchIndicesCases } from "./ops/batch-indices.ts";
import { bitsCases } from "./ops/bits.ts";
import { broadcastCases } from "./ops/broadcast.ts";
import { castCases } from "./ops/cast.ts";
import { compareCases } from "./ops/compare.ts";
import { convCases } from "./ops/conv.ts";
import { countCases } from "./ops/count.ts";
import { countsCases } from "./ops/counts.ts";
import { creationCases } from "./ops/creation.ts";
import { cumulativeCases } from "./ops/cumulative.ts";
import { customGradCases } from "./ops/custom-grad.ts";
import { diagonalsCases } from "./ops/diagonals.ts";
import { diffCases } from "./ops/diff.ts";
import { distancesCases } from "./ops/distances.ts";
import { distributionCases } from "./ops/distributions.ts";
import { dropoutCases } from "./ops/dropout.ts";
import { einsumCases } from "./ops/einsum.ts";
import { embeddingCases } from "./ops/embedding.ts";
import { errorFunctionCases } from "./ops/error-function.ts";
import { exponentsCases } from "./ops/exponents.ts";
import { flipCases } from "./ops/flip.ts";
import { floatBitsCases } from "./ops/float-bits.ts";
import { foldCases } from "./ops/fold.ts";
import { gammaCases } from "./ops/gamma.ts";
import { gatherCases } from "./ops/gather.ts";
import { gatherNDCases } from "./ops/gather-nd.ts";
import { gluCases } from "./ops/glu.ts";
import { gridSampleCases } from "./ops/grid-sample.ts";
import { gridsCases } from "./ops/grids.ts";
import { hyperbolicCases } from "./ops/hyperbolic.ts";
import { indexAddCases } from "./ops/index-add.ts";
import { l2NormalizeCases } from "./ops/l2-normalize.ts";
import { lerpCases } from "./ops/lerp.ts";
import { likeCases } from "./ops/like.ts";
import { logAddExpCases } from "./ops/log-add-exp.ts";
import { matmulCases } from "./ops/matmul.ts";
import { momentsCases } from "./ops/moments.ts";
import { nanCases } from "./ops/nan.ts";
import { normCases } from "./ops/norm.ts";
import { normalizedCases } from "./ops/normalized.ts";
import { padCases } from "./ops/pad.ts";
import { piecewiseCases } from "./ops/piecewise.ts";
import { poolCases } from "./ops/pool.ts";
import { powCases } from "./ops/pow.ts";
import { prodCases } from "./ops/prod.ts";
import { productsCases } from "./ops/products.ts";
import { quantileCases } from "./ops/quantile.ts";
import { randomCases } from "./ops/random.ts";
import { randomAtCases } from "./ops/random-at.ts";
import { reduceCases } from "./ops/reduce.ts";
import { remainderCases } from "./ops/remainder.ts";
import { repeatCases } from "./ops/repeat.ts";
import { reshapeCases } from "./ops/reshape.ts";
import { resizeCases } from "./ops/resize.ts";
import { rootCases } from "./ops/root.ts";
import { rotaryEmbeddingCases } from "./ops/rotary-embedding.ts";
import { roundingCases } from "./ops/rounding.ts";
import { rreluCases } from "./ops/rrelu.ts";
import { searchSortedCases } from "./ops/search-sorted.ts";
import { sliceCases } from "./ops/slice.ts";
import { smoothCases } from "./ops/smooth.ts";
import { softmaxCases } from "./ops/softmax.ts";
import { sortCases } from "./ops/sort.ts";
import { splitCases } from "./ops/split.ts";
import { takeCases } from "./ops/take.ts";
import { trigonometricCases } from "./ops/trigonometric.ts";
import { unaryCases } from "./ops/unary.ts";
import { whereCases } from "./ops/where.ts";
import { windowsCases } from "./ops/windows.ts";
import { writeAtCases } from "./ops/write-at.ts";

/** Each op's row; those of the ops of one file are in a file of that name. */
export const cases = {
  ...arithmeticCases,
  ...dropoutCases,
  ...alphaDropoutCases,
  ...rreluCases,
  ...embeddingCases,
  ...unaryCases,
  ...errorFunctionCases,
  ...exponentsCases,
  ...logAddExpCases,
  ...gammaCases,
  ...trigonometricCases,
  ...hyperbolicCases,
  ...rootCases,
  ...activationsCases,
  ...powCases,
  ...compareCases,
  ...smoothCases,
  ...piecewiseCases,
  ...gluCases,
  ...roundingCases,
  ...remainderCases,
  ...nanCases,
  ...lerpCases,
  ...floatBitsCases,
  ...bitsCases,
  ...whereCases,
  ...writeAtCases,
  ...castCases,
  ...broadcastCases,
  ...reduceCases,
  ...momentsCases,
  ...quantileCases,
  ...normCases,
  ...countCases,
  ...prodCases,
  ...cumulativeCases,
  ...matmulCases,
  ...productsCases,
  ...einsumCases,
  ...softmaxCases,
  ...attentionCases,
  ...rotaryEmbeddingCases,
  ...distancesCases,
  ...l2NormalizeCases,
  ...reshapeCases,
  ...sliceCases,
  ...atCases,
  ...padCases,
  ...axesCases,
  ...flipCases,
  ...repeatCases,
  ...splitCases,
  ...diffCases,
  ...diagonalsCases,
  ...windowsCases,
  ...foldCases,
  ...convCases,
  ...poolCases,
  ...resizeCases,
  ...normalizedCases,
  ...gatherCases,
  ...takeCases,
  ...alongAxisCases,
  ...gatherNDCases,
  ...indexAddCases,
  ...sortCases,
  ...searchSortedCases,
  ...countsCases,
  ...creationCases,
  ...gridSampleCases,
  ...gridsCases,
  ...likeCases,
  ...batchIndicesCases,
  ...distributionCases,
  ...randomCases,
  ...randomAtCases,
  ...customGradCases,
} satisfies Record<keyof typeof ops, OpCase>;
