import { beforeAll, describe, expect, test, vi } from "vitest";
import {
  type Device,
  GradusError,
  gelu,
  Parameter,
  relu,
  ShapeError,
  State,
  softmax,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import {
  constant,
  Dropout,
  ELU,
  Flatten,
  GELU,
  Identity,
  L2Normalize,
  LeakyReLU,
  Linear,
  LogSoftmax,
  Module,
  ReLU,
  Sequential,
  Softmax,
} from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const layer = () => new Linear(2, 2, { bias: false });

class Collections extends Module {
  readonly byKey = { first: layer(), nested: { list: [layer()] } };
  readonly map = new Map<unknown, unknown>([
    ["a", layer()],
    [7, { deep: layer() }],
    [{ any: "object" }, layer()],
  ]);
  readonly set = new Set([layer(), layer()]);
  readonly bare = Object.assign(Object.create(null), { one: layer() });
  readonly table = { numbers: [1, 2, 3], text: "x", none: null, f: () => layer() };
  readonly closed = new (class Box {
    inner = layer();
  })();

  override forward(x: Tensor): Tensor {
    return x;
  }
}

const NAMES = [
  "byKey.first.weight",
  "byKey.nested.list.0.weight",
  "map.a.weight",
  "map.7.deep.weight",
  "map.2.weight",
  "set.0.weight",
  "set.1.weight",
  "bare.one.weight",
];

test("modules find layers in objects, Maps and Sets, nested, by names that stay", () => {
  using net = new Collections();
  expect([...net.state().keys()]).toEqual(NAMES);
  expect(net.parameters().map(({ name }) => name)).toEqual(NAMES);
  expect(net.modules()).toHaveLength(1 + NAMES.length);
  expect(
    net
      .train()
      .modules()
      .every(({ training }) => training),
  ).toBe(true);
  net.freeze();
  expect(net.parameters()).toEqual([]);
});

test("two states of one name are an error", () => {
  class Net extends Identity {
    readonly heads = { "a.b": layer(), a: { b: layer() } };
  }
  expect(() => new Net().state()).toThrow(
    new GradusError(
      'Net: two states called "heads.a.b.weight"; expected a name of its own for each. ' +
        "Use keys without dots",
    ),
  );
});

test("an optimizer of a module without parameters says where modules look", () => {
  class Net extends Identity {
    readonly #hidden = layer();
    override forward(x: Tensor): Tensor {
      return this.#hidden.call(x);
    }
  }
  const net = new Net();
  expect(() => new SGD(net.parameters(), { learningRate: 1 })).toThrow(
    new GradusError(
      "SGD: no parameters; expected at least one. Modules list what lies in public fields, " +
        "arrays, objects, Maps and Sets and is not frozen; private #fields cannot be searched",
    ),
  );
});

test("trainStep warns of a model without states, once when it is made", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const weight = new Parameter(tensor([1]));
  const optimizer = new SGD([weight], { learningRate: 1 });
  const loss = () => weight.sum();
  trainStep({ model: new Identity(), optimizer, loss }).dispose();
  trainStep({ model: layer(), optimizer, loss }).dispose();
  expect(warn.mock.calls).toEqual([
    [
      "gradus: trainStep: model Identity has no parameters or other states; expected them in " +
        "public fields, arrays, objects, Maps or Sets. Private #fields cannot be searched",
    ],
  ]);
  warn.mockRestore();
});

test("a layer's states have its dtype and names, whatever makes them", async () => {
  const made = { weightInit: constant(2), dtype: "f64" } as const;
  for (const biasInit of [undefined, constant(0.1)]) {
    const { weight, bias } = new Linear(2, 1, { ...made, biasInit });
    expect([weight.dtype, bias?.dtype]).toEqual(["f64", "f64"]);
    expect([weight.name, bias?.name]).toEqual(["weight", "bias"]);
    expect(await bias?.toArray()).toEqual([biasInit ? 0.1 : 0]);
  }
  expect(new Dropout(0.5).step.name).toBe("step");
});

describe("Sequential", () => {
  test("takes layers in an array", async () => {
    using net = new Sequential([layer(), relu, layer()]);
    expect([...net.state().keys()]).toEqual(["0.weight", "2.weight"]);
    expect(net.call(zeros([1, 2])).shape).toEqual([1, 2]);
    expect(new Sequential([]).layers).toEqual([]);
  });

  test.each<[string, unknown[], string]>([
    [
      "a class",
      [ReLU],
      "0 is the class ReLU; expected a module or a function. Did you mean new ReLU()?",
    ],
    ["text", ["relu"], '0 is "relu"; expected a module or a function'],
    ["nothing", [relu, undefined], "1 is undefined; expected a module or a function"],
    ["two lists", [[relu], [relu]], "0 is an array; expected a module or a function"],
  ])("refuses %s", (_, layers, message) => {
    const make = () => new Sequential(...(layers as [ReLU]));
    expect(make).toThrow(new GradusError(`Sequential: layer ${message}`));
  });
});

const any = (value: unknown) => value as never;

test.each<[string, () => unknown, string]>([
  ["ReLU", () => new ReLU(any(1)), "ReLU: 1 too much; expected ReLU()"],
  ["Flatten", () => new Flatten(any(0.5)), "Flatten: first 0.5; expected an integer"],
  [
    "a layer of one's own",
    () => new Collections(any({})),
    "Collections: an object too much; expected Collections()",
  ],
  ["LeakyReLU", () => new LeakyReLU(1, any(2)), "LeakyReLU: 2 too much; expected LeakyReLU(slope)"],
  [
    "a slope that is none",
    () => new LeakyReLU(any({ slope: 1 })),
    "LeakyReLU: slope an object; expected a finite number",
  ],
  ["ELU", () => new ELU(Number.NaN), "ELU: alpha NaN; expected a finite number"],
  [
    "GELU",
    () => new GELU(any({ approximate: "tan" })),
    'GELU: approximate tan; expected none, tanh. Did you mean "tanh"?',
  ],
  [
    "GELU by a word",
    () => new GELU(any("tanh")),
    'GELU: options "tanh"; expected an object of approximate. Did you mean { approximate: "tanh" }?',
  ],
  ["Softmax", () => new Softmax(any({ axis: 1 })), "Softmax: axis an object; expected an integer"],
  ["LogSoftmax", () => new LogSoftmax(0.5), "LogSoftmax: axis 0.5; expected an integer"],
  ["L2Normalize", () => new L2Normalize(any("1")), 'L2Normalize: axis "1"; expected an integer'],
  [
    "Linear",
    () => new Linear(2, 2, any({ bais: false })),
    'Linear: unknown option "bais"; expected bias, weightInit, biasInit, seed, key, device, dtype. ' +
      'Did you mean "bias"?',
  ],
  [
    "a bare bias",
    () => new Linear(2, 2, any(false)),
    "Linear: options false; expected an object of bias, weightInit, biasInit, seed, key, device, " +
      "dtype. Did you mean { bias: false }?",
  ],
  [
    "Dropout",
    () => new Dropout(0.5, any(1)),
    "Dropout: options 1; expected an object of seed, key, device. Did you mean { seed: 1 }?",
  ],
  [
    "State",
    () => new State(tensor(1), any("step")),
    'State: options "step"; expected an object of name, pytorch. Did you mean { name: "step" }?',
  ],
  [
    "Parameter",
    () => new Parameter(any([1])),
    "Parameter: input 0 is an array; expected a tensor. Use tensor(value)",
  ],
  [
    "a call with labels",
    () => new ReLU().call(...([tensor(1), 2] as unknown as [Tensor])),
    "ReLU: call with 2 inputs; expected 1. Name further ones in forward, without default values",
  ],
])("%s is refused by name", (_, run, message) => {
  expect(run).toThrow(new GradusError(message));
});

class Net extends Module {
  readonly flatten = new Flatten();
  readonly body = new Sequential(new Linear(6, 4), gelu, new Dropout(0.5), new Linear(4, 4), gelu);
  readonly head = { color: new Linear(4, 3, { bias: false }) };
  readonly shared = new ReLU();
  readonly scale = new Parameter(tensor([2]));
  readonly unused = new Linear(1, 1);

  override forward(x: Tensor): Tensor {
    const y = this.shared.call(this.body.call(this.flatten.call(x)));
    return softmax(this.shared.call(this.head.color.call(y)));
  }
}

describe("summary", () => {
  test("prints layers, shapes and parameters, and gives them", async () => {
    using net = new Net();
    net.head.color.freeze();
    const before = held(device);
    const version = net.body.layers[2] as Dropout;
    const print = vi.fn();
    const summary = await net.train().summary({ inputShape: [5, 2, 3], print });
    expect(print.mock.calls).toEqual([[summary.toString()]]);
    expect(`\n${summary}\n`).toBe(`
name        layer       output             parameters
-----------------------------------------------------
(itself)    Net         [5, 3]                      1
flatten     Flatten     [5, 6]                      0
body        Sequential  [5, 4]                      0
body.0      Linear      [5, 4]                     28
body.1      gelu        [5, 4]                      0
body.2      Dropout     [5, 4]                      0
body.3      Linear      [5, 4]                     20
body.4      gelu        [5, 4]                      0
head.color  Linear      [5, 3]                     12
shared      ReLU        [5, 4] and [5, 3]           0
unused      Linear      ?                           2
-----------------------------------------------------
                        all                        63
                        trainable                  51
`);
    expect(summary.layers[3]).toEqual({
      name: "body.0",
      type: "Linear",
      outputShapes: [[5, 4]],
      parameters: 28,
    });
    expect([summary.parameters, summary.trainable]).toEqual([63, 51]);
    expect(net.training && version.training && version.step.version === 0).toBe(true);
    expect(held(device)).toEqual(before);
  });

  test("leaves shapes open without an input, and prints to the console", async () => {
    using net = new Sequential({ hidden: new Linear(784, 50), relu, out: new Linear(50, 10) });
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const summary = await net.summary();
    expect(log.mock.calls).toEqual([[summary.toString()]]);
    log.mockRestore();
    expect(`\n${summary}\n`).toBe(`
name    layer   output     parameters
-------------------------------------
hidden  Linear  ?              39,250
out     Linear  ?                 510
-------------------------------------
                all            39,760
                trainable      39,760
`);
  });

  test("takes integers where the model does, and says what does not fit", async () => {
    using net = layer();
    const silent = { print: null };
    await expect(net.summary({ inputShape: [1, 3], ...silent })).rejects.toThrow(
      new ShapeError("Linear: input [1, 3]; expected […, 2]"),
    );
    await expect(net.summary(any([1, 2]))).rejects.toThrow(
      new GradusError(
        "summary: options an array; expected an object of inputShape, inputs, dtype, print. " +
          "Did you mean { inputShape: [1, 2] }?",
      ),
    );
    const summary = await new Identity().summary({ inputShape: [2], dtype: "i32", ...silent });
    expect(summary.layers).toEqual([
      { name: "", type: "Identity", outputShapes: [[2]], parameters: 0 },
    ]);
  });
});

describe("freezing by name", () => {
  const net = () =>
    new Sequential({ encoder: new Sequential(layer(), layer()), encoder2: layer() });
  const names = (model: Module) => [...model.namedParameters().keys()];

  test.each<[string, Parameters<Module["freeze"]>[0], string[]]>([
    ["an expression", /^encoder\./, ["encoder2.weight"]],
    ["one that goes on where it was", /encoder/g, []],
    ["a name with all below it", "encoder", ["encoder2.weight"]],
    ["a whole name", "encoder.1.weight", ["encoder.0.weight", "encoder2.weight"]],
    ["several", ["encoder2", /\.0\./], ["encoder.1.weight"]],
    ["all", true, []],
    ["none", false, ["encoder.0.weight", "encoder.1.weight", "encoder2.weight"]],
  ])("%s", (_, match, left) => {
    using model = net();
    const all = names(model);
    expect(names(model.freeze(match))).toEqual(left);
    const rest = all.filter((name) => !left.includes(name));
    model.freeze().unfreeze(match === false ? undefined : match);
    expect(names(model)).toEqual(match === false ? all : rest);
    expect(names(model.unfreeze())).toEqual(all);
  });

  test("what meets no name is refused", () => {
    using model = net();
    for (const [match, told] of [
      [/decoder/, '"/decoder/"'],
      ["enc", '"enc"'],
      [[], '""'],
    ] as const) {
      for (const call of [() => model.freeze(match), () => model.unfreeze(match)]) {
        expect(call).toThrow(new GradusError(`freeze: match ${told}; expected a name of a state`));
      }
    }
    expect(names(model)).toHaveLength(3);
  });
});
