import { type Fault, IndexError, NonFiniteError, type NonFiniteInput } from "../core/faults.ts";
import type { Found, FoundIndex } from "./inspection.ts";
import type { Origin } from "./places.ts";
import { siteOf } from "./sites.ts";

/** Which run of which call something was found in. */
export interface CallRun {
  /** What the user called. */
  readonly caller: string;
  /** What `number` counts. */
  readonly unit: "step" | "call" | "evaluation";
  readonly number: number;
}

/** Writes the error of an op whose result is not finite. */
export function nonFiniteError({ origin, value, inputs }: Found, run: CallRun): NonFiniteError {
  const { fault, where } = describe(origin, run);
  const op = origin.place.endsWith(origin.op) ? "" : `${origin.op} of `;
  return new NonFiniteError(
    `${run.caller}: ${value} made by ${op}${origin.place} ${where}; expected finite numbers. ` +
      `${inputs.length > 0 ? inputs.map(sentence).join(", ") : "All its inputs were finite"}`,
    { ...fault, inputs },
    origin.site ? { cause: origin.site } : undefined,
  );
}

function sentence({ index, name, value }: NonFiniteInput): string {
  return `Input ${index}, ${name}, held ${value === "NaN" ? "NaN" : "infinities"} before`;
}

/** Writes the error of an index outside its range. */
export function indexError(
  { origin, range, index, position }: FoundIndex,
  run: CallRun,
): IndexError {
  const { fault, where } = describe(origin, run);
  const also = range.ignored === null ? "" : ` or ${range.ignored}, which is ignored`;
  return new IndexError(
    `${run.caller}: index ${index} at position ${position} for ${origin.place} ${where}; ` +
      `expected 0 to ${range.size - 1}${also}`,
    { ...fault, index, position },
    origin.site ? { cause: origin.site } : undefined,
  );
}

function describe({ op, place, site }: Origin, { unit, number }: CallRun) {
  const { location, called } = site ? siteOf(site) : { location: null, called: "" };
  const fault: Fault = { op, place, step: number, site: location };
  const by = called === "" || called === op ? "" : `by ${called} `;
  const at = location === null ? "" : `, called ${by}at ${location}`;
  return { fault, where: `in ${unit} ${number}${at}` };
}
