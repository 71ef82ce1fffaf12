import { cases } from "./cases.ts";
import { embeddingLossCases, embeddingMetricCases } from "./embedding-cases.ts";
import { lossCases } from "./loss-cases.ts";
import type { OpCase } from "./support/op-case.ts";

/** What the drivers run: every function of tensors by name, with its row. */
export const tables: readonly [string, OpCase][] = [
  ...Object.entries<OpCase>(cases),
  ...Object.entries<OpCase>(lossCases),
  ...Object.entries<OpCase>(embeddingLossCases),
  ...Object.entries<OpCase>(embeddingMetricCases),
];
