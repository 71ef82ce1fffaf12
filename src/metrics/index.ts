export { accuracy, correct } from "./accuracy.ts";
export { nearest, rank1, type SpreadRatioOptions, spreadRatio } from "./embeddings.ts";
export { type ScoreKind, type Verification, verificationAccuracy } from "./verification.ts";
