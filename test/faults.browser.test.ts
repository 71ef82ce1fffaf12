import { afterAll, beforeAll, expect, test } from "vitest";
import { HARMLESS, WATCHED } from "./support/fault-modes.ts";
import { FaultSweep } from "./support/fault-sweep.ts";

let sweep: FaultSweep;
const unwatched = new Set<string>();

beforeAll(async () => {
  const restore = Object.keys(WATCHED).flatMap(noteUnwatched);
  sweep = await FaultSweep.begin(navigator.gpu);
  for (const method of restore) method();
}, 120_000);
afterAll(() => console.log(sweep.table));

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
