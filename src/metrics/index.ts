export { accuracy, correct } from "./accuracy.ts";
export { type BinaryAccuracyOptions, binaryAccuracy, r2Score } from "./agreement.ts";
export {
  type Average,
  type AverageOptions,
  confusionMatrix,
  f1,
  precision,
  recall,
} from "./confusion.ts";
export { nearest, rank1, type SpreadRatioOptions, spreadRatio } from "./embeddings.ts";
export { topKAccuracy } from "./top-k.ts";
export {
  type ScoreKind,
  type Verification,
  type VerificationOptions,
  verificationAccuracy,
} from "./verification.ts";
