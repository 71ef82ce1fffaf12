import { type Task, WORKLOADS } from "../../bench/workloads/index.ts";
import { QUICK_WORKLOADS } from "./presets.ts";

/** How the kinds of workload are headed; several may share a heading. */
const HEADINGS: Record<Task["kind"], string> = {
  matmul: "Products",
  chain: "Elements, rows, sums",
  softmax: "Elements, rows, sums",
  sum: "Elements, rows, sums",
  crossEntropy: "Loss and gradient",
  train: "Training",
  trainModel: "Training",
  firstStep: "First step",
  infer: "Inference",
  convolution: "Convolution",
  learn: "Time to an accuracy",
  peak: "Products",
};

/** Workloads under one heading. */
export interface Kind {
  /** A short name for addresses. */
  readonly name: string;
  readonly heading: string;
  readonly workloads: readonly string[];
}

/** All kinds, in the order in which they are measured. */
export const KINDS: readonly Kind[] = [...new Set(Object.values(HEADINGS))].map((heading) => ({
  name: heading.toLowerCase().replaceAll(/\W+/g, "-"),
  heading,
  workloads: WORKLOADS.filter(({ task }) => HEADINGS[task.kind] === heading).map(
    ({ name }) => name,
  ),
}));

/** What can be looked at in a run: some of each kind, all, or one kind. */
export const VIEWS: readonly Kind[] = [
  { name: "quick", heading: "One of each kind", workloads: QUICK_WORKLOADS },
  { name: "all", heading: "All", workloads: WORKLOADS.map(({ name }) => name) },
  ...KINDS,
];
