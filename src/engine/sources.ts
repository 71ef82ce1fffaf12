import type { Node } from "../graph/node.ts";
import type { State } from "../graph/state.ts";
import type { Conversion } from "../graph/traced-array.ts";

/** Where a plan's source comes from in each run. */
export type Source =
  | InputSource
  | { readonly kind: "state"; readonly state: State }
  | { readonly kind: "constant"; readonly node: Node };

/** An input, or a tensor that the trace made of it; `node` stands for it there. */
export interface InputSource {
  readonly kind: "input";
  readonly node: Node;
  readonly index: number;
  /** How a typed array becomes the tensor's values; null for a tensor. */
  readonly convert: Conversion | null;
}
