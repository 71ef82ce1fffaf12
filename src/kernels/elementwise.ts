import type { Family } from "../forms/kernel.ts";
import { elementwiseRule } from "./choose.ts";
import type { ElementsProblem } from "./problems.ts";
import { OPEN } from "./rows.ts";
import { elementwiseFile } from "./shaders.ts";

/** Pointwise groups: what computes and stores an element of each result comes from the group's ops. */
export const pointwiseGroups: Family<ElementsProblem> = {
  prologueCost: 0,
  rule: elementwiseRule,
  kernels: [
    {
      kind: "direct",
      files: [elementwiseFile],
      candidates: [...OPEN, { WORKGROUP: 128 }, { WORKGROUP: 256 }],
      layout: ({ SIZE }, { WORKGROUP }) => ({
        loads: [],
        results: [{ name: "y", extents: [SIZE] }],
        workgroups: Math.ceil(SIZE / WORKGROUP),
      }),
    },
  ],
};
