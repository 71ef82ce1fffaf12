import { beforeAll, describe, expect, test } from "vitest";
import { FormatError, GradusError, ShapeError } from "../../src/core/errors.ts";
import { Parameter, type State } from "../../src/graph/state.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { init } from "../../src/init.ts";
import { loadState } from "../../src/io/load-state.ts";
import { loadNpz, saveNpz } from "../../src/io/numpy.ts";
import { readSafetensors } from "../../src/io/safetensors.ts";
import { writeSafetensors } from "../../src/io/safetensors-write.ts";
import { loadSafetensors, saveSafetensors } from "../../src/io/weights.ts";
import {
  BatchNorm1d,
  Conv2d,
  Dropout,
  LayerNorm,
  Linear,
  Sequential,
  TransformerDecoderLayer,
} from "../../src/nn/index.ts";
import { tensor } from "../../src/ops/creation.ts";
import { neg, sigmoid } from "../../src/ops/index.ts";

beforeAll(async () => {
  await init({ device: "cpu" });
});

const f32 = (shape: number[], ...data: number[]) =>
  ({ dtype: "F32", shape, data: Float32Array.from(data) }) as const;

/** What PyTorch saves of `nn.Linear(2, 3)`, y = W·x + b with W of shape [out, in]. */
const LINEAR = {
  weight: f32([3, 2], 1, 2, 3, 4, 5, 6),
  bias: f32([3], 10, 20, 30),
};
const PT = { format: "pt" };

test("weights of PyTorch's Linear give what they give there", async () => {
  const model = new Linear(2, 3);
  loadState(model, writeSafetensors(LINEAR, PT), { from: "pytorch" });
  const y = model.call(tensor([[1, -1]]));
  expect(await y.toArray()).toEqual([[9, 19, 29]]);
  expect(await model.weight.toArray()).toEqual([
    [1, 3, 5],
    [2, 4, 6],
  ]);
});

test("what is saved for PyTorch has its names and axes, and comes back", async () => {
  const model = new Sequential(new Linear(3, 3), sigmoid, new Linear(3, 2));
  const bytes = await saveSafetensors(model, { epoch: "3" }, { to: "pytorch" });
  const { tensors, metadata } = readSafetensors(bytes);
  expect(metadata).toEqual({ format: "pt", epoch: "3" });
  const own = model.state().get("0.weight") as State;
  const theirs = tensors.get("0.weight");
  expect([...(theirs?.data ?? [])]).toEqual([...(await own.transpose().data())]);
  expect(tensors.get("2.weight")?.shape).toEqual([2, 3]);
  const other = new Sequential(new Linear(3, 3), sigmoid, new Linear(3, 2));
  loadState(other, bytes, { from: "pytorch" });
  for (const [name, state] of model.state()) {
    expect(await other.state().get(name)?.toArray()).toEqual(await state.toArray());
  }
  expect(await saveSafetensors(other, { epoch: "3" }, { to: "pytorch" })).toEqual(bytes);
});

test("running statistics are read and written by PyTorch's names", async () => {
  const count = { dtype: "I64", shape: [] as number[], data: BigInt64Array.of(7n) } as const;
  const file = writeSafetensors(
    {
      "0.weight": f32([2], 1, 2),
      "0.bias": f32([2], 3, 4),
      "0.running_mean": f32([2], 5, 6),
      "0.running_var": f32([2], 7, 8),
      "0.num_batches_tracked": count,
    },
    PT,
  );
  const model = new Sequential(new BatchNorm1d(2));
  loadState(model, file, { from: "pytorch" });
  const values = await Promise.all([...model.state().values()].map((state) => state.toArray()));
  expect(values).toEqual([[1, 2], [3, 4], [5, 6], [7, 8], 7]);
  const { tensors } = readSafetensors(await saveSafetensors(model, {}, { to: "pytorch" }));
  const { tensors: theirs } = readSafetensors(file);
  expect([...tensors.keys()].sort()).toEqual([...theirs.keys()].sort());
  expect(tensors.get("0.num_batches_tracked")?.data).toEqual(Int32Array.of(7));
});

test("what PyTorch's modules do not have, or files of it may lack, stays as it is", async () => {
  const model = new Sequential(new BatchNorm1d(2), new Dropout(0.5, { seed: 1 }));
  const names = ["0.bias", "0.num_batches_tracked", "0.running_mean", "0.running_var", "0.weight"];
  const { tensors } = readSafetensors(await saveSafetensors(model, {}, { to: "pytorch" }));
  expect([...tensors.keys()].sort()).toEqual(names);
  tensors.delete("0.num_batches_tracked");
  loadState(model, writeSafetensors(tensors, PT), { from: "pytorch" });
  tensors.delete("0.running_var");
  expect(() => loadState(model, writeSafetensors(tensors, PT), { from: "pytorch" })).toThrow(
    "loadState: missing [0.runningVar], unknown []",
  );
});

test("parts of attention have PyTorch's names, and a model's own parts their own", async () => {
  const own = { numHeads: 2, width: 4 };
  class Camel extends Sequential {
    readonly LayerNorm = new LayerNorm(own.width);
    readonly lastLayer = new Linear(own.width, 1);
    readonly block = new TransformerDecoderLayer(own.width, own.numHeads, { dimFeedforward: 2 });
    override children() {
      return Object.entries(this);
    }
  }
  const model = new Camel();
  const { tensors } = readSafetensors(await saveSafetensors(model, {}, { to: "pytorch" }));
  const names = [...tensors.keys()];
  for (const part of ["LayerNorm", "lastLayer", "block.self_attn.out_proj"]) {
    expect(names).toContain(`${part}.weight`);
  }
  expect(names).toContain("block.self_attn.in_proj_weight");
  expect(names).toContain("block.multihead_attn.in_proj_bias");
});

test("kernels of convolutions lie as PyTorch's do", async () => {
  const model = new Conv2d(1, 2, [1, 2]);
  const kernel = f32([2, 1, 1, 2], 1, 2, 3, 4);
  const file = writeSafetensors({ weight: kernel, bias: f32([2], 10, 20) }, PT);
  loadState(model, file, { from: "pytorch" });
  expect(await model.call(tensor([[[[1, -1]]]])).toArray()).toEqual([[[[9]], [[19]]]]);
});

test("axes of any order are put in ours", async () => {
  const kernel = new Parameter(tensor([0, 0, 0, 0, 0, 0], { shape: [3, 1, 2] }), {
    pytorch: { axes: [2, 0, 1] },
  });
  const states = new Map([["w", kernel]]);
  const values = f32([2, 3, 1], 1, 2, 3, 4, 5, 6);
  loadState(states, writeSafetensors({ w: values }, PT), { from: "pytorch" });
  expect(await kernel.toArray()).toEqual([[[1, 4]], [[2, 5]], [[3, 6]]]);
  const { tensors } = readSafetensors(await saveSafetensors(states, {}, { to: "pytorch" }));
  expect(tensors.get("w")).toEqual(values);
});

test("a Map of a file's tensors is known as the file is", async () => {
  const tensors = loadSafetensors(writeSafetensors(LINEAR, PT));
  const model = new Linear(2, 3);
  expect(() => loadState(model, tensors)).toThrow(FormatError);
  loadState(model, tensors, { from: "pytorch" });
  expect(await model.call(tensor([[1, -1]])).toArray()).toEqual([[9, 19, 29]]);
});

test("values are called here as `rename` says", async () => {
  const file = writeSafetensors(
    { "encoder.fc.weight": LINEAR.weight, "encoder.fc.bias": LINEAR.bias, head: f32([1], 1) },
    PT,
  );
  const check = async (rename: Parameters<typeof loadState>[2]) => {
    const model = new Linear(2, 3);
    loadState(model, file, { from: "pytorch", ...rename });
    expect(await model.bias?.toArray()).toEqual([10, 20, 30]);
  };
  await check({
    rename: [
      [/^encoder\./, ""],
      ["fc.", ""],
    ],
    strict: false,
  });
  await check({ rename: (name) => (name === "head" ? null : name.slice("encoder.fc.".length)) });
});

const square = () => new Linear(2, 2);
const weights = (metadata = {}) =>
  writeSafetensors({ weight: f32([2, 2], 1, 2, 3, 4), bias: f32([2], 0, 0) }, metadata);

test("a square weight is never taken for its transpose", async () => {
  const model = square();
  const before = await model.weight.toArray();
  const given = "loadState: a file";
  const ofValues = (message: string) => message.replace("a file", "values");
  for (const [metadata, from, message] of [
    [PT, undefined, `${given} of format "pt"; expected { from: "pytorch" }`],
    [
      {},
      undefined,
      `${given} without format, in which "weight" of shape [2, 2] may be transposed; expected ` +
        '{ from: "gradus" } or { from: "pytorch" }',
    ],
    [
      { format: "gradus" },
      "pytorch",
      `${given} of format "gradus" from "pytorch"; expected { from: "gradus" }`,
    ],
  ] as const) {
    const file = weights(metadata);
    expect(() => loadState(model, file, { from })).toThrow(new FormatError(message));
    expect(() => loadState(model, loadSafetensors(file), { from })).toThrow(
      new FormatError(ofValues(message)),
    );
  }
  expect(await model.weight.toArray()).toEqual(before);
});

describe("no way leads a square weight of PyTorch's into ours as it lies", () => {
  const theirs = () => loadSafetensors(weights(PT));
  const ways: Record<string, () => unknown> = {
    "a file's tensors, saved again": () => saveSafetensors(theirs()),
    "saved again, and once more": async () =>
      saveSafetensors(loadSafetensors(await saveSafetensors(theirs()))),
    "a file's tensors under other names": () =>
      new Map([...theirs()].map(([name, x]) => [name.toLowerCase(), x])),
    "those, saved": () => saveSafetensors(new Map(theirs())),
    "what was computed of them": () => new Map([...theirs()].map(([name, x]) => [name, neg(x)])),
    "what was computed of them, saved": () =>
      saveSafetensors(new Map([...theirs()].map(([name, x]) => [name, neg(x)]))),
    "a state that was made of one": () =>
      new Map([...theirs()].map(([name, x]) => [name, new Parameter(x)])),
    "a state that was made of one, saved": () =>
      saveSafetensors(new Map([...theirs()].map(([name, x]) => [name, new Parameter(x)]))),
    "an archive of NumPy": async () => loadNpz(await saveNpz(theirs())),
    "a file for PyTorch": () => saveSafetensors(square(), {}, { to: "pytorch" }),
    "a Map of theirs and ours": () => new Map([...theirs(), ["weight.ours", square().weight]]),
  };
  test.each(Object.entries(ways))("%s", async (_, make) => {
    const values = (await make()) as Parameters<typeof loadState>[1];
    const model = square();
    const before = await model.weight.toArray();
    expect(() => loadState(model, values, { strict: false })).toThrow(FormatError);
    expect(await model.weight.toArray()).toEqual(before);
  });

  test("nor ours into one that is told to be PyTorch's", async () => {
    const [model, ours] = [square(), square()];
    for (const values of [ours, ours.state(), loadSafetensors(await saveSafetensors(ours))]) {
      expect(() => loadState(model, values, { from: "pytorch" })).toThrow(
        new FormatError(
          'loadState: values of format "gradus" from "pytorch"; expected { from: "gradus" }',
        ),
      );
    }
  });

  test("nor into a file that says it is the other's", async () => {
    const ours = loadSafetensors(await saveSafetensors(square()));
    const made = new Map([["weight", neg(square().weight)]]);
    await expect(saveSafetensors(theirs(), {}, { to: "gradus" })).rejects.toThrow(
      /^saveSafetensors: "\w+" of the format "pt" of its file to "gradus"; expected a module or its states/,
    );
    await expect(saveSafetensors(ours, {}, { to: "pytorch" })).rejects.toThrow(
      /^saveSafetensors: "\w+" of the format "gradus" of its file to "pytorch"; expected a module or/,
    );
    await expect(saveSafetensors(made, {}, { to: "pytorch" })).rejects.toThrow(
      'saveSafetensors: "weight" of no format to "pytorch"; expected a module',
    );
  });

  test("and what comes of our own states goes on as ours", async () => {
    const from = square();
    const bytes = await saveSafetensors(new Map(from.state()));
    for (const values of [from, new Map(from.state()), bytes, new Map(loadSafetensors(bytes))]) {
      const to = square();
      loadState(to, values);
      expect(await to.weight.toArray()).toEqual(await from.weight.toArray());
    }
    const again = await saveSafetensors(theirs());
    expect(readSafetensors(again)).toEqual(readSafetensors(weights(PT)));
  });
});

test.each(["to", "floats", "format"])(
  "saveSafetensors takes no metadata called %s",
  async (name) => {
    const option = name === "format" ? "to" : name;
    await expect(saveSafetensors(square(), { [name]: "pytorch" })).rejects.toThrow(
      new GradusError(
        `saveSafetensors: metadata of the name "${name}"; expected other names. ` +
          `Give { ${option} } behind the metadata: saveSafetensors(tensors, {}, { ${option} })`,
      ),
    );
  },
);

test.each([
  [
    "ours",
    { format: "gradus" },
    undefined,
    [
      [1, 2],
      [3, 4],
    ],
  ],
  [
    "ours, as its reader says",
    {},
    "gradus",
    [
      [1, 2],
      [3, 4],
    ],
  ],
  [
    "PyTorch's, as its reader says",
    {},
    "pytorch",
    [
      [1, 3],
      [2, 4],
    ],
  ],
  [
    "PyTorch's that was transposed there",
    PT,
    "gradus",
    [
      [1, 2],
      [3, 4],
    ],
  ],
] as const)("a square weight is read where the file is %s", async (_, metadata, from, expected) => {
  const model = square();
  loadState(model, weights(metadata), { from });
  expect(await model.weight.toArray()).toEqual(expected);
});

test("weights that cannot be taken for others need no mark", async () => {
  const model = new Linear(1, 1);
  loadState(model, writeSafetensors({ weight: f32([1, 1], 2), bias: f32([1], 3) }));
  expect(await model.weight.toArray()).toEqual([[2]]);
});

test("a file that we saved is known as ours", async () => {
  const bytes = await saveSafetensors(square());
  expect(readSafetensors(bytes).metadata).toEqual({ format: "gradus" });
  loadState(square(), bytes);
});

test("a transposed weight that does not fit is known as PyTorch's", () => {
  const file = writeSafetensors(LINEAR);
  const message =
    'loadState: "weight" has shape [3, 2] in the file; expected [2, 3], or { from: "pytorch" }';
  expect(() => loadState(new Linear(2, 3), file)).toThrow(new ShapeError(message));
});

test.each([
  [{ from: "torch" }, 'loadState: from "torch"; expected "gradus" or "pytorch"'],
  [
    { rename: "x" },
    'loadState: rename "x"; expected a function, or pairs of a pattern and its replacement',
  ],
  [
    { rename: [["a"]] },
    "loadState: rename an array; expected a function, or pairs of a pattern and its replacement",
  ],
  [
    { rename: () => "weight" },
    'loadState: rename gives "weight" for "weight"; expected a name of its own for each, or null to leave it out',
  ],
  [
    { rename: () => 3 },
    'loadState: rename gives 3 for "bias"; expected a name of its own for each, or null to leave it out',
  ],
])("loadState refuses %o", (options, message) => {
  const file = writeSafetensors(LINEAR, PT);
  const given = { from: "pytorch", ...options } as never;
  expect(() => loadState(new Linear(2, 3), file, given)).toThrow(new GradusError(message));
});

test("saveSafetensors refuses two tensors of one name, and other origins", async () => {
  const named = (name: string) => new Parameter(tensor([1]), { pytorch: { name } });
  const states = new Map<string, Tensor>([
    ["a", named("b")],
    ["b", named("b")],
  ]);
  await expect(saveSafetensors(states, {}, { to: "pytorch" })).rejects.toThrow(
    new GradusError("saveSafetensors: [b] for 2 tensors; expected a name for each"),
  );
  await expect(saveSafetensors(states, {}, { to: "jax" as never })).rejects.toThrow(
    new GradusError('saveSafetensors: to "jax"; expected "gradus" or "pytorch"'),
  );
});
