import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { FluentMethods } from "../../src/fluent/index.ts";
import { Parameter, State, Tensor, tensor } from "../../src/index.ts";
import * as ops from "../../src/ops/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(() => testDevice());

type Name = keyof typeof ops;
type First<K extends Name> = Parameters<(typeof ops)[K]>[0];
type OfTensor = { [K in Name]: Tensor extends First<K> ? K : never }[Name];

/** The methods that every tensor has, once `init` was called. */
const FEW = [
  "add",
  "div",
  "matmul",
  "mean",
  "mul",
  "neg",
  "reshape",
  "sub",
  "sum",
  "transpose",
] as const;

const [made, several, drawn] = ["makes a tensor", "takes several tensors", "draws for a step"];

/** Draws by a seed, which make tensors. */
type Random = `random${string}`;

/** Why ops are no methods; each that takes no tensor first must be here, if it does not draw. */
const NONE = {
  arange: made,
  eye: made,
  full: made,
  linspace: made,
  logspace: made,
  ones: made,
  tensor: made,
  zeros: made,
  broadcastTensors: several,
  concat: several,
  meshgrid: several,
  stack: several,
  einsum: "takes a text before any number of tensors",
  batchIndices: drawn,
  bernoulliAt: drawn,
  categoricalAt: drawn,
  exponentialAt: drawn,
  gammaAt: drawn,
  integersAt: drawn,
  normalAt: drawn,
  permutationAt: drawn,
  uniformAt: drawn,
  customGrad: "takes functions and gives one",
  setSeed: "takes a number and gives nothing",
} satisfies Partial<Record<Name, string>> & Record<Exclude<Name, OfTensor | Random>, string>;

test("every op is a method or has a reason not to be one, and no member has lost its name", async () => {
  // `init` has given tensors their few methods.
  const before = [Tensor, State, Parameter].flatMap(({ prototype }) =>
    Object.getOwnPropertyNames(prototype),
  );
  const own = Object.getOwnPropertyNames(new Parameter(tensor(1)));
  await import("../../src/fluent/index.ts");
  const after = Object.getOwnPropertyNames(Tensor.prototype);
  const added = after.filter((name) => !before.includes(name));
  const wanted = Object.keys(ops).filter((x) => !Object.hasOwn(NONE, x) && !/^random/.test(x));
  expect(wanted.filter((name) => !added.includes(name)).toSorted()).toEqual(FEW);
  expect(added.filter((name) => !wanted.includes(name))).toEqual([]);
  expect(added.filter((name) => own.includes(name))).toEqual([]);
  expect(Object.keys(tensor(1))).not.toContain("relu"); // nor do loops over a tensor meet them
});

/** What types say is added, and what is not; a name on one side alone does not compile. */
type Wanted = Exclude<Name, keyof typeof NONE | Random>;
const same: [Wanted] extends [keyof FluentMethods] ? true : never = true;
const noMore: [keyof FluentMethods] extends [Wanted] ? true : never = true;

/** Methods whose type was not found. */
type Untyped = {
  [K in keyof FluentMethods]: [FluentMethods[K]] extends [never] ? K : never;
}[keyof FluentMethods];
const none: [Untyped] extends [never] ? true : never = true;

test("methods have the types of the ops, and do what they do for states too", async () => {
  expect([same, noMore, none]).toEqual([true, true, true]);
  const w = new Parameter(tensor([-1, 2]));
  const [top]: Tensor[] = [w.relu().softmax({ axis: 0 }).topK(1).indices];
  expect(await top.toArray()).toEqual([1]);
  expect(await w.greater(0).where(w, w.square()).at("::-1").toArray()).toEqual([2, 1]);
  expect(w.expandDims(0).permute(1, 0).permute([1, 0]).shape).toEqual([1, 2]);
  // @ts-expect-error more than the op takes
  expect(() => w.relu(3)).toThrow("relu: 3 too much; expected relu(x)");
  // @ts-expect-error an option that the op does not know
  expect(() => w.softmax({ axes: 0 })).toThrow('softmax: unknown option "axes"; expected axis');
});

test("the library itself calls no method that it may not have", () => {
  const root = join(import.meta.dirname, "../..");
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !/^(fluent.index|all)\.ts$/.test(name))
    .map((name) => join(root, "src", name));
  expect(files.length).toBeGreaterThan(200);
  const config = join(root, "build/without-fluent.json");
  mkdirSync(join(root, "build"), { recursive: true });
  writeFileSync(config, JSON.stringify({ extends: "../tsconfig.json", include: [], files }));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const run = () => execFileSync(process.execPath, [tsc, "-p", config], { encoding: "utf8" });
  expect(readFileSync(config, "utf8")).not.toContain("fluent/");
  expect(run()).toBe("");
});
