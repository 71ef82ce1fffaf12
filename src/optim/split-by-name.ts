import { checkSurplus, describeValue } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { kindOf } from "../core/kind.ts";
import { type NameMatch, nameMatcher } from "../core/name-match.ts";
import type { Parameter } from "../graph/state.ts";

/**
 * Parts parameters by their names, for an `OptimizerGroup` in which each part has options of its own:
 * decay of weights but not of biases and norms, or a rate for a new head.
 * @param parameters a Map by name, as `model.namedParameters()` gives it.
 * @param match a regular expression, a name (which means all below it), an array of these, or a function
 * of name and parameter.
 * @returns those that match, and the others.
 * @throws GradusError where all match, or none.
 * @example
 * const model = new Sequential(new Linear(8, 4), new LayerNorm(4), new Linear(4, 1));
 * const [weights, others] = splitByName(model.namedParameters(), (_, p) => p.rank > 1);
 * const optimizer = new OptimizerGroup([
 *   new AdamW(weights, { learningRate: 1e-3, weightDecay: 0.1 }),
 *   new AdamW(others, { learningRate: 1e-3, weightDecay: 0 }),
 * ]);
 * [...others.keys()]; // ["0.bias", "1.weight", "1.bias", "2.bias"]
 */
export function splitByName(
  parameters: ReadonlyMap<string, Parameter>,
  match: NameMatch<Parameter>,
  ...surplus: never[]
): [matching: Map<string, Parameter>, others: Map<string, Parameter>] {
  checkSurplus("splitByName(parameters, match)", surplus);
  if (kindOf(parameters) !== "Map") {
    throw new GradusError(
      `splitByName: parameters are ${describeValue(parameters)}; expected a Map. Use ` +
        "model.namedParameters()",
    );
  }
  const isMeant = nameMatcher("splitByName", "match", match);
  const parts: [Map<string, Parameter>, Map<string, Parameter>] = [new Map(), new Map()];
  for (const [name, p] of parameters) parts[isMeant(name, p) ? 0 : 1].set(name, p);
  const [matching] = parts;
  if (matching.size > 0 && matching.size < parameters.size) return parts;
  throw new GradusError(
    `splitByName: ${matching.size} of ${parameters.size} parameters match; expected some, not all`,
  );
}
