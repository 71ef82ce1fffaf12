import type * as losses from "../../src/losses/index.ts";
import type * as metrics from "../../src/metrics/index.ts";
import type { OpCase } from "../support/op-case.ts";
import { embeddingLossCases, embeddingMetricCases } from "./embeddings.ts";
import { lossCases } from "./losses.ts";
import { metricCases } from "./metrics.ts";
import { cases } from "./ops.ts";
import { pairLossCases } from "./pair-losses.ts";

/** Names of what is a function and no class. */
type Functions<M> = {
  [K in keyof M]: M[K] extends abstract new (...args: never[]) => unknown ? never : K;
}[keyof M];

/** Functions that read tensors and give no tensor. */
type Reader = "verificationAccuracy";

// Whatever is exported has a row, or this does not compile.
const ofLosses = { ...lossCases, ...embeddingLossCases, ...pairLossCases } satisfies Record<
  Functions<typeof losses>,
  OpCase
>;
const ofMetrics = { ...metricCases, ...embeddingMetricCases } satisfies Record<
  Exclude<keyof typeof metrics, Reader>,
  OpCase
>;

/** What the drivers run: every function of tensors by name, with its row. */
export const tables: readonly [string, OpCase][] = [cases, ofLosses, ofMetrics].flatMap((table) =>
  Object.entries<OpCase>(table),
);
