import { checkOptions, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { foldIn } from "../core/random.ts";
import {
  checkSampling,
  exampleAt,
  SAMPLING,
  type Sampling,
  type SamplingOptions,
} from "../core/sampling.ts";
import { shuffleDomain } from "../core/shuffle.ts";
import { Position } from "../forms/position.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { SHUFFLE } from "../kernels/shaders.ts";
import { checkStep } from "./domain.ts";
import { foldInAt } from "./fold-in-at.ts";

type BatchAttributes = Readonly<Record<string, unknown>> &
  Pick<Sampling, "size" | "batchSize" | "shuffle" | "replacement" | "stepsPerEpoch" | "key">;

/** y[j] = the example at place (s mod stepsPerEpoch) · batchSize + j of epoch ⌊s / stepsPerEpoch⌋. */
export const batchIndicesOp: OpDefinition<BatchAttributes> = defineOp<BatchAttributes>({
  name: "batchIndices",
  infer: (_, { batchSize }) => ({ shape: [batchSize], dtype: "u32" }),
  cpu: (y, [step], attributes) => {
    const { batchSize, stepsPerEpoch, key } = attributes;
    const s = step.data[step.offset];
    const epochKey = foldIn(key, Math.floor(s / stepsPerEpoch));
    const start = (s % stepsPerEpoch) * batchSize;
    for (let j = 0; j < batchSize; j++) y.data[j] = exampleAt(attributes, epochKey, start + j);
  },
  cost: 800, // the epoch's key and at least six rounds, some 115 each
  form: {
    kind: "pointwise",
    libraries: SHUFFLE,
    element: ({ at, load, attributes, scalars }) => {
      const { size, batchSize, shuffle, replacement, stepsPerEpoch, key } = attributes;
      const { body } = at;
      const m = scalars("u32");
      const s = load(0, Position.at(body, [], []));
      const steps = m.literal(stepsPerEpoch);
      const start = m.call("*", m.call("%", s, steps), m.literal(batchSize));
      const place = body.bind(m.call("+", start, at.linear));
      if (!shuffle) return place;
      const epochKey = body.bind(foldInAt(m, key, m.call("/", s, steps)));
      const n = m.literal(size);
      if (replacement) return m.call("drawn_index", epochKey, n, place);
      const { low, high, roundPairs } = shuffleDomain(size);
      const sides = m.call("vec2u", m.literal(low), m.literal(high));
      return m.call("shuffled_index", epochKey, n, sides, m.literal(roundPairs), place);
    },
  },
  vjp: () => [null],
});

/** What a `BatchSampler` has beside its options. */
type SamplerOptions = SamplingOptions & { stepsPerEpoch?: number };

const SAMPLER: Known<SamplerOptions> = { ...SAMPLING, stepsPerEpoch: true };

/**
 * Gives the numbers of a batch's examples, u32 `[batchSize]`, computed from a step counter where the
 * graph runs, so that a step needs no upload: those of `BatchSampler.at` with the same options.
 *
 * The counter may come from a `State`; after 2³² steps the epochs begin anew.
 * @param step u32 scalar, counted over all epochs.
 * @throws DTypeError or ShapeError for another `step`; ShapeError for a size from 2³² or where an
 * epoch's last batch would be shorter; else as `BatchSampler` does.
 * @example gather(images, batchIndices(step, { size: 60_000, batchSize: 100, seed: 1 }));
 */
export function batchIndices(step: Tensor, options: SamplingOptions, ...surplus: never[]): Tensor {
  checkOptions<SamplerOptions>("batchIndices", options, SAMPLER, surplus);
  checkStep("batchIndices", step);
  const sampling = checkSampling("batchIndices", options);
  const { size, batchSize, shuffle, replacement, stepsPerEpoch, key } = sampling;
  if (size === 2 ** 32) {
    throw new ShapeError(`batchIndices: size ${size}; expected an integer from 1 to 2^32 - 1`);
  }
  if (!sampling.dropLast && size % batchSize !== 0) {
    throw new ShapeError(
      `batchIndices: batchSize ${batchSize} leaves ${size % batchSize} of ${size} examples over; ` +
        "expected batches of one size. Set dropLast: true",
    );
  }
  return apply(batchIndicesOp, [step], {
    size,
    batchSize,
    shuffle,
    replacement,
    stepsPerEpoch,
    key,
  });
}
