import type * as losses from "../src/losses/index.ts";
import type * as metrics from "../src/metrics/index.ts";
import { cases } from "./cases.ts";
import { lossCases } from "./loss-cases.ts";
import { metricCases } from "./metric-cases.ts";
import type { OpCase } from "./support/op-case.ts";

// Whatever is exported has a row, or this does not compile.
const ofLosses = { ...lossCases } satisfies Record<keyof typeof losses, OpCase>;
const ofMetrics = { ...metricCases } satisfies Record<keyof typeof metrics, OpCase>;

/** What the drivers run: every function of tensors by name, with its row. */
export const tables: readonly [string, OpCase][] = [cases, ofLosses, ofMetrics].flatMap((table) =>
  Object.entries<OpCase>(table),
);
