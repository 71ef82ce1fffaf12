import { beforeAll, expect, test } from "vitest";
import type { Outcome } from "../../support/fault-life.ts";
import { HARMLESS, MODES, type Mode, WATCHED } from "../../support/fault-modes.ts";
import { FaultSweep } from "../../support/fault-sweep.ts";
import { describeOutcome, isPromised } from "../../support/fault-table.ts";
import type { Fault } from "../../support/faults.ts";

let sweep: FaultSweep;
const unwatched = new Set<string>();

beforeAll(async () => {
  const restore = Object.keys(WATCHED).flatMap(noteUnwatched);
  sweep = await FaultSweep.begin(navigator.gpu);
  for (const method of restore) method();
}, 120_000);

/** Notes the calls that no fault meets; gives what ends that. */
function noteUnwatched(kind: string): (() => void)[] {
  const { prototype } = (globalThis as unknown as Record<string, { prototype: object }>)[kind];
  const all = Object.entries(Object.getOwnPropertyDescriptors(prototype));
  return all.flatMap(([name, descriptor]) => {
    const method = `${kind}.${name}`;
    const { value: real } = descriptor;
    const isKnown = name === "constructor" || name in WATCHED[kind] || HARMLESS.has(method);
    if (typeof real !== "function" || isKnown) return [];
    const value = function (this: object, ...args: unknown[]) {
      unwatched.add(method);
      return Reflect.apply(real, this, args);
    };
    Object.defineProperty(prototype, name, { ...descriptor, value });
    return [() => Object.defineProperty(prototype, name, descriptor)];
  });
}

test("every call of WebGPU that a training run makes is one that can go wrong", () => {
  expect([...unwatched]).toEqual([]);
  const methods = Object.entries(WATCHED).flatMap(([kind, own]) => {
    const names = Object.keys(own).filter((name) => Object.keys(own[name].modes).length > 0);
    return names.map((name) => `${kind}.${name}`);
  });
  expect(new Set(sweep.faults.map(({ method }) => method))).toEqual(new Set(methods));
});

/** The errors that the device must raise by itself. */
const OWN: Readonly<Partial<Record<Mode, string>>> = {
  invalid: "GPUValidationError",
  "out of memory": "GPUOutOfMemoryError",
  "out of memory twice": "GPUOutOfMemoryError",
};

/** Calls that say by themselves what is wrong with them. */
const TOLD = new Set(["GPUDevice.createComputePipelineAsync"]);

/** Milliseconds within which a busy machine answers as well, where no answer is what goes wrong. */
const PATIENCE = [500, 5000];

/** Has a call go wrong, or one before it: how many there are depends on when answers come. */
async function reach(fault: Fault, [patience, ...longer] = PATIENCE): Promise<Outcome> {
  const outcome = await sweep.live(fault, patience);
  if (!outcome.reached && fault.n > 0) return reach({ ...fault, n: fault.n >> 1 });
  const isLate = fault.mode === "never settles" && !isPromised(outcome);
  return isLate && longer.length > 0 ? reach(fault, longer) : outcome;
}

// One call of each method; npm run faults has every call go wrong.
test.each(MODES)(
  "what a call spoils is refused, and all else is right: %s",
  async (mode) => {
    const bad: string[] = [];
    for (const fault of sweep.share(1, 1).filter((fault) => fault.mode === mode)) {
      const outcome = await reach(fault);
      if (!isPromised(outcome)) bad.push(describeOutcome(outcome));
      expect(outcome.reached).toBe(true);
      const error = OWN[mode];
      if (error && !TOLD.has(fault.method)) expect(outcome.raised, fault.method).toContain(error);
    }
    expect(bad).toEqual([]);
  },
  180_000,
);
