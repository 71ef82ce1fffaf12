import { checkEach, checkOptions, isInteger, type Known } from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { scan } from "../loops/scan.ts";
import { add, div, maximum, mul, neg } from "../ops/arithmetic.ts";
import { broadcastTo } from "../ops/broadcast.ts";
import { cast } from "../ops/cast.ts";
import { classLabels } from "../ops/class-labels.ts";
import { equal, greaterEqual, less, logicalAnd, logicalOr, notEqual } from "../ops/compare.ts";
import { full, hotRows, iota } from "../ops/creation.ts";
import { checkedLengths } from "../ops/lengths.ts";
import { logAddExp } from "../ops/log-add-exp.ts";
import { matmul } from "../ops/matmul.ts";
import { delayed } from "../ops/recurrence.ts";
import { inShape, withAxes } from "../ops/reshape.ts";
import { concat, stack } from "../ops/slice.ts";
import { logSumExp } from "../ops/softmax.ts";
import { where } from "../ops/where.ts";
import { LOSS_OPTIONS, type LossOptions, reduceLosses } from "./reduction.ts";

/** Options of `ctc`. */
export interface CTCOptions extends LossOptions {
  /** The class that stands for no label; 0 when left out. */
  blank?: number;
  /** Whether examples that no path fits count as 0, and not as ∞; false when left out. */
  zeroInfinity?: boolean;
}

const OPTIONS: Known<CTCOptions> = { ...LOSS_OPTIONS, blank: true, zeroInfinity: "boolean" };

/** Stands for the logarithm of 0: finite, so that no difference of two is NaN. */
const NEVER = -1e30;
/** What lies below is the logarithm of 0, and whatever was added to it. */
const POSSIBLE = -1e29;

/**
 * Computes −ln of the probability of a sequence of labels, which is that of all paths along time that
 * give it when repeated classes, then blanks, are left out: by recursion over time, in one compiled loop,
 * on logarithms. `mean` divides each loss by its number of labels, at least 1, before it takes the mean of
 * the batch. An example that no path fits, with too little time for its labels, has the loss ∞, or 0 with
 * `zeroInfinity`, and no gradient.
 * Source: Graves et al. 2006, "Connectionist temporal classification", eq. 6 to 8.
 * @param logProbs `[n, time, classes]`, f32 or f64, such as `logSoftmax` gives.
 * @param targets integer labels `[n, length]`, of which those behind an example's end do not count; none
 * is the blank. One outside `[0, classes)` is an error on the CPU device, and fits no path on WebGPU.
 * @param inputLengths how much of the time each example has, integers `[n]` from 0 to `time`.
 * @param targetLengths how many labels each example has, integers `[n]` from 0 to `length`. Other lengths are
 * errors on the CPU device; on WebGPU an input counts to its end, and labels that are not there fit no path.
 * @throws ShapeError or DTypeError for other shapes and dtypes, GradusError for a blank that is no class.
 * @example
 * const speech = randomNormal([2, 50, 28], { seed: 1 }); // [n, time, classes]
 * const texts = tensor([[3, 1, 20], [8, 9, 0]], { dtype: "i32" });
 * const [times, lengths] = [[50, 42], [3, 2]].map((all) => tensor(all, { dtype: "i32" }));
 * ctc(logSoftmax(speech), texts, times, lengths);
 */
export function ctc(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Tensor,
  targetLengths: Tensor,
  options: CTCOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<CTCOptions>("ctc", options, OPTIONS, surplus);
  const { blank = 0, zeroInfinity = false } = options;
  checkGiven(logProbs, targets, { inputLengths, targetLengths });
  const [n, , classes] = logProbs.shape;
  const isClass = (x: unknown) => isInteger(x, 0, classes - 1);
  checkEach("ctc", { blank }, isClass, `an integer from 0 to ${classes - 1}`);
  const [, time] = logProbs.shape;
  const counts = checkedLengths("ctc: targetLengths", targetLengths, targets.shape[1]);
  const turns = checkedLengths("ctc: inputLengths", inputLengths, time);
  const states = withBlanks(targets, counts, blank, classes); // [n, 2 length + 1]
  const last = lastScores(logProbs, states, turns);
  // A path ends in the last label or in the blank behind it.
  const place = iota(states.shape[1], "i32", states.device);
  const end = inShape(mul(counts, 2), [n, 1]);
  const isEnd = logicalOr(equal(place, end), equal(add(place, 1), end));
  const score = logSumExp(where(isEnd, last, NEVER), { axis: 1 });
  const nothing = zeroInfinity ? 0 : Number.POSITIVE_INFINITY;
  const losses = where(less(score, POSSIBLE), nothing, neg(score));
  const isMean = (options.reduction ?? "mean") === "mean";
  const shares = isMean ? div(losses, cast(maximum(counts, 1), losses.dtype)) : losses;
  return reduceLosses("ctc", shares, options);
}

function checkGiven(
  logProbs: Tensor,
  targets: Tensor,
  lengths: Readonly<Record<string, Tensor>>,
): void {
  checkTensors("ctc", [logProbs, targets, ...Object.values(lengths)]);
  expectDType("ctc: logProbs have dtype", logProbs.dtype, "float");
  const [n] = logProbs.shape;
  if (logProbs.rank !== 3) {
    const given = formatShape(logProbs.shape);
    throw new ShapeError(`ctc: logProbs ${given}; expected [n, time, classes]`);
  }
  if (targets.rank !== 2 || targets.shape[0] !== n) {
    throw new ShapeError(`ctc: targets ${formatShape(targets.shape)}; expected [${n}, length]`);
  }
  for (const [name, x] of Object.entries({ targets, ...lengths })) {
    expectDType(`ctc: ${name} have dtype`, x.dtype, "index");
    if (x === targets || sameShape(x.shape, [n])) continue;
    throw new ShapeError(`ctc: ${name} ${formatShape(x.shape)}; expected [${n}]`);
  }
}

/** Labels with blanks before, between and behind them, blanks too behind the end. */
function withBlanks(targets: Tensor, counts: Tensor, blank: number, classes: number): Tensor {
  const [n, length] = targets.shape;
  const isThere = less(iota(length, "i32", targets.device), inShape(counts, [n, 1]));
  const own = where(isThere, cast(targets, "i32"), blank);
  const labels = inShape(classLabels("ctc", inShape(own, [n * length]), classes), [n, length]);
  const filler = { dtype: "i32", device: targets.device } as const;
  const blanks = (size: number) => full([n, size], blank, filler);
  const pairs = inShape(stack([blanks(length), labels], { axis: 2 }), [n, 2 * length]);
  return concat([pairs, blanks(1)], { axis: 1 });
}

/**
 * Log-probabilities of all that leads to each state at an example's end, `[n, states]`:
 * α[t, s] = p[t, s] · (α[t − 1, s] + α[t − 1, s − 1] + α[t − 1, s − 2]), the last where a label follows
 * another one.
 */
function lastScores(logProbs: Tensor, states: Tensor, lengths: Tensor): Tensor {
  const [n, time, classes] = logProbs.shape;
  const [, count] = states.shape;
  const { device, dtype } = logProbs;
  // 0 · −∞ is NaN: what never happens is finite, and stays below what is possible.
  const hot = inShape(hotRows(inShape(states, [n * count]), classes, dtype), [n, count, classes]);
  const scores = matmul(maximum(logProbs, NEVER), withAxes(hot, [0, 2, 1])); // [n, time, states]
  const isClass = logicalAnd(greaterEqual(states, 0), less(states, classes));
  const rows = withAxes(where(inShape(isClass, [n, 1, count]), scores, NEVER), [1, 0, 2]);
  const place = iota(count, "i32", device);
  const differs = notEqual(states, delayed(delayed(states, 0), 0));
  const mayLeap = logicalAnd(differs, greaterEqual(place, 2));
  const first = broadcastTo(where(equal(place, 0), 0, full([count], NEVER, { dtype, device })), [
    n,
    count,
  ]);
  const within = less(
    inShape(iota(time, "i32", device), [time, 1, 1]),
    inShape(lengths, [1, n, 1]),
  );
  const [last] = scan(
    (before, { row, isWithin }) => {
      const one = delayed(before, NEVER);
      const two = where(mayLeap, delayed(one, NEVER), NEVER);
      const next = add(row, logAddExp(logAddExp(before, one), two));
      return [where(isWithin, next, before), null];
    },
    first,
    { row: rows, isWithin: within },
  );
  return last;
}
