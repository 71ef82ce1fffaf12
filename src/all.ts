// What the single file for pages without a bundler exports: the names of `gradus`, and each other
// entry under its own name; `gradus/fluent` has none, and its methods are there.
import "./fluent/index.ts";

export * as audio from "./audio/index.ts";
export * as csv from "./csv/index.ts";
export * as data from "./data/index.ts";
export * as datasets from "./datasets/index.ts";
export * from "./index.ts";
export { init } from "./inline.ts";
export * as io from "./io/browser.ts";
export * as losses from "./losses/index.ts";
export * as metrics from "./metrics/index.ts";
export * as nn from "./nn/index.ts";
export * as optim from "./optim/index.ts";
export * as pictures from "./pictures/index.ts";
export * as text from "./text/index.ts";
export * as train from "./train/index.ts";
export * as webgpu from "./webgpu/index.ts";
export * as worker from "./worker/index.ts";
