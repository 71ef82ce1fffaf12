import { beforeAll, describe, expect, test } from "vitest";
import {
  compile,
  concat,
  cumMax,
  debug,
  div,
  evaluate,
  exp,
  full,
  gather,
  IndexError,
  init,
  log,
  logSumExp,
  max,
  mean,
  memory,
  mul,
  NonFiniteError,
  oneHot,
  ones,
  Parameter,
  pad,
  reshape,
  scope,
  slice,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  where,
  zeros,
} from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { Linear, Module, ReLU, Sequential } from "../../src/nn/index.ts";
import { Adam, SGD } from "../../src/optim/index.ts";
import { fit, trainStep } from "../../src/train/index.ts";
import { inBrowser, ownDevice, testDevice, testOptions } from "../support/device.ts";
import { type Planted, planted } from "../support/planted.ts";
import { thirdOf } from "../support/third-of.ts";

const limit = Error.stackTraceLimit;
beforeAll(testDevice);

/** Gives what a promise is rejected with. */
async function failure<E>(promise: Promise<unknown>): Promise<E> {
  return promise.then(
    () => expect.unreachable("nothing was thrown"),
    (error) => error,
  );
}

/** The code of the kernels that are compiled meanwhile; none on the CPU. */
async function kernelsOf(run: () => Promise<unknown>): Promise<string[]> {
  const code: string[] = [];
  if (!inBrowser) {
    await run();
    return code;
  }
  const { createShaderModule } = GPUDevice.prototype;
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    code.push(descriptor.code);
    return createShaderModule.call(this, descriptor);
  };
  try {
    await run();
  } finally {
    GPUDevice.prototype.createShaderModule = createShaderModule;
  }
  return code;
}

/** Scales its input, and applies a function. */
class Layer extends Module {
  scale = new Parameter(ones([2, 2]));

  constructor(readonly run: (x: Tensor) => Tensor) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return this.run(mul(x, this.scale));
  }
}

class Net extends Module {
  hidden: Layer;

  constructor(run: (x: Tensor) => Tensor) {
    super();
    this.hidden = new Layer(run);
  }

  override forward(x: Tensor): Tensor {
    return mul(this.hidden.call(x), 1e-3);
  }
}

function batch(first: number): Tensor {
  return tensor([[first, 1], [0.5, 1]]); // biome-ignore format: a matrix
}

async function trainOn({ run, first }: Planted) {
  const model = new Net(run);
  const optimizer = new SGD(model.parameters(), { learningRate: 1e-6 });
  const step = trainStep({ model, optimizer, loss: (net, x: Tensor) => mean(net.call(x)) });
  await step(batch(1));
  await step(batch(1));
  const before = await model.hidden.scale.data();
  const error = await failure<NonFiniteError>(step(batch(first)));
  return { error, step, before, after: await model.hidden.scale.data() };
}

// What is compiled for one row is compiled for no other, so that WebGPU takes a share.
const share = inBrowser ? planted.filter(({ op }) => thirdOf(op) === 0) : planted;

describe("a training run under debug names", () => {
  for (const row of share) {
    const where = row.inGradient ? " in its gradient" : "";
    test(`${row.op} for ${row.value} from ${row.first}${where}`, async () => {
      const { error, before, after, step } = await debug(() => trainOn(row));
      expect(error).toBeInstanceOf(NonFiniteError);
      const place = `hidden.${row.op}${row.inGradient ? " (gradient)" : ""}`;
      expect(error.message).toContain(`trainStep: ${row.value} made by `);
      expect(error).toMatchObject({ place, step: 3 });
      if (!row.inGradient) expect(error.op).toBe(row.op);
      expect(error.site).toMatch(/(planted|debug\.test)\.ts(\?.*)?:\d+:\d+$/);
      expect([after, step.next]).toEqual([before, 2]);
    });
  }
});

test("a run names its step, also where gradients are summed over batches", async () => {
  for (const accumulate of [1, 2]) {
    const model = new Net(log);
    const optimizer = new SGD(model.parameters(), { learningRate: 1e-6 });
    const loader = [1, 2, 3, -1, 1].map(batch);
    const loss = (net: Net, x: Tensor) => mean(net.call(x));
    const run = () => fit({ model, optimizer, loss, loader, epochs: 1, accumulate });
    const error = await failure<NonFiniteError>(debug(run));
    expect(error).toMatchObject({ op: "log", place: "hidden.log", step: 4 });
    expect(error.message).toContain("fit: NaN made by hidden.log in step 4, called");
    expect(await optimizer.counter.item()).toBe(accumulate === 1 ? 3 : 1);
  }
});

test("calls that nobody waits for run in order, with the bits of a run without debug", async () => {
  const trained = async () => {
    const model = new Net(exp);
    const optimizer = new Adam(model.parameters(), { learningRate: 0.1 });
    const loss = (net: Net, x: Tensor) => mean(net.call(x));
    const step = trainStep({ model, optimizer, loss });
    await Promise.all([1, 2, 3, 4].map((first) => step(batch(first))));
    const losses = (await step.read()).map(({ loss }) => loss);
    return [losses, await model.hidden.scale.data(), step.next];
  };
  expect(await debug(trained)).toEqual(await trained());
});

test("states stay as they were, or what a call gave, whenever it is that somebody uses them", async () => {
  await debug(async () => {
    for (let ticks = 0; ticks < 24; ticks++) {
      const w = new Parameter(tensor([1, 2]), { name: "w" });
      const divide = compile((x: Tensor) => w.assign(div(w, x)));
      await divide.prepare(tensor(0));
      const found = failure<NonFiniteError>(divide(tensor(0)));
      for (let i = 0; i < ticks; i++) await null;
      mul(w, 1);
      expect((await found).op).toBe("div");
      expect(["1,2", "Infinity,Infinity"]).toContain(String(await w.data()));
    }
  });
});

test("a message says what, where, when, and what was wrong before", async () => {
  const w = new Parameter(tensor([0, 1]), { name: "w" });
  const ratio = compile((batch: { x: Tensor }) => div(batch.x, mul(w, 1)));
  const error = await debug(async () => {
    using first = await ratio({ x: tensor([0, 1]) }).catch(() => tensor([7]));
    expect(await first.toArray()).toEqual([7]);
    return failure<NonFiniteError>(ratio({ x: tensor([Number.NaN, 1]) }));
  });
  const site = error.site ?? "";
  expect(site).toMatch(/debug\.test\.ts(\?.*)?:\d+:\d+$/);
  expect(error.message).toBe(
    `compile: NaN made by div in call 2, called at ${site}; expected finite numbers. ` +
      "Input 0, argument 0.x, held NaN before",
  );
  const inputs = [{ index: 0, name: "argument 0.x", value: "NaN" }];
  expect({ ...error }).toEqual({
    name: "NonFiniteError",
    op: "div",
    place: "div",
    step: 2,
    site,
    inputs,
  });
  expect(error.cause).toMatchObject({ name: "Site" });
  expect(String((error.cause as Error).stack)).toContain(site);
});

describe("an infinity", () => {
  const rows: [string, () => Tensor, string | null][] = [
    [
      "that masks is meant",
      () => softmax(where(tensor([true, false]), ones([2]), Number.NEGATIVE_INFINITY)),
      null,
    ],
    ["that was given is passed on", () => max(tensor([Number.NEGATIVE_INFINITY, -Infinity])), null],
    [
      "that pad was asked for is meant",
      () => pad(ones([2]), [[1, 0]], { value: Number.NEGATIVE_INFINITY }),
      null,
    ],
    ["of nothing is meant", () => cumMax(ones([2]), { exclusive: true }), null],
    ["of nothing but masks is passed on", () => logSumExp(full([3], -Infinity)), null],
    ["that comes to nothing is meant", () => softmax(log(tensor([0, 1, 1]))), null],
    ["that reaches a result is an error", () => mul(log(tensor([0, 1])), 2), "log"],
    [
      "that becomes a NaN is an error where it was made",
      () => {
        const e = exp(tensor([100, 1]));
        return div(e, sum(e));
      },
      "exp",
    ],
    ["of nothing is what the op says", () => logSumExp(zeros([2, 0]), { axis: 1 }), null],
    [
      "that a part leaves behind is not in it",
      () => {
        const part = slice(log(tensor([0, 1])), [{ start: 1 }]);
        return div(1, part);
      },
      "div",
    ],
    ["that was given and becomes a NaN", () => sub(full([2], Infinity), Infinity), "sub"],
  ];
  for (const [title, run, op] of rows) {
    test(title, async () => {
      if (op === null) await debug(run);
      else expect((await failure<NonFiniteError>(debug(run))).op).toBe(op);
    });
  }

  test("may be allowed; a NaN never is", async () => {
    const options = { infinities: "allow" } as const;
    const y = await debug(() => log(tensor([0, 1])), options);
    expect(await y.toArray()).toEqual([-Infinity, 0]);
    const error = await failure<NonFiniteError>(debug(() => log(tensor([-1])), options));
    expect(error.op).toBe("log");
  });
});

describe("indices and labels outside their range are errors:", () => {
  const x = () => tensor([[1, 2], [3, 4]]); // biome-ignore format: a matrix
  const at = (...values: number[]) => tensor(values, { dtype: "i32" });
  const rows: [string, () => Tensor, Partial<IndexError>, string][] = [
    ["gather", () => gather(x(), at(1, 2)), { index: 2, position: 1 }, "0 to 1"],
    ["gather", () => gather(x(), at(-1)), { index: -1, position: 0 }, "0 to 1"],
    ["oneHot", () => oneHot(tensor(Uint8Array.of(3, 9)), 4), { index: 9, position: 1 }, "0 to 3"],
    ["crossEntropy", () => crossEntropy(x(), at(0, 2)), { index: 2, position: 1 }, "0 to 1"],
    [
      "crossEntropy",
      () => crossEntropy(x(), at(255, 3), { ignoreIndex: 255 }),
      { index: 3, position: 1 },
      "0 to 1 or 255, which is ignored",
    ],
  ];
  for (const [op, run, found, range] of rows) {
    test(`${op}, ${found.index}`, async () => {
      const error = await failure<IndexError>(debug(() => run().data()));
      expect(error).toBeInstanceOf(IndexError);
      expect(error).toMatchObject({ ...found, op, place: op, step: 1 });
      const what = `index ${found.index} at position ${found.position} for ${op}`;
      expect(error.message).toContain(`data: ${what} in evaluation 1`);
      expect(error.message.endsWith(`; expected ${range}`)).toBe(true);
      expect(error.cause).toMatchObject({ name: "Site" });
    });
  }

  test("a label that is ignored is none", async () => {
    const loss = () => crossEntropy(x(), at(0, 255), { ignoreIndex: 255 });
    expect((await debug(loss)).shape).toEqual([]);
  });
});

class Deep extends Module {
  blocks = [new Sequential({ first: new Linear(2, 2, { seed: 1 }), exp }), new ReLU()];
  override forward(x: Tensor): Tensor {
    return this.blocks.reduce((y, block) => block.call(y), x);
  }
}

describe("a place is", () => {
  const one = (x: number) => tensor([[x, 1]]);

  test("the way to a layer, function or module, and the op", async () => {
    const call = () => new Deep().call(one(-1e30));
    expect(await failure(debug(call))).toMatchObject({ op: "exp", place: "blocks.0.exp" });
    const inner = () => new Deep().blocks[1].call(log(one(-1)));
    expect(await failure(debug(inner))).toMatchObject({ place: "log" });
  });

  test("that of a function among layers, also of one that comes twice", async () => {
    const model = new Sequential(square, log, log);
    expect(await failure(debug(() => model.call(one(0.5))))).toMatchObject({ place: "2.log" });
  });

  test("told of many values of one size, and of inputs by their names", async () => {
    const w = new Parameter(tensor([Number.NaN, 1]), { name: "w" });
    const many = () => {
      let y = tensor([1, 2]);
      for (let i = 0; i < 40; i++) y = i === 35 ? log(mul(y, -1)) : mul(y, 1.01);
      return y;
    };
    expect(await failure(debug(many))).toMatchObject({ op: "log", inputs: [] });
    const product = () => mul(ones([2, 1]), reshape(w, [2, 1]));
    const inputs = [{ index: 1, name: '"w"', value: "NaN" }];
    expect(await failure(debug(product))).toMatchObject({ op: "mul", inputs });
  });

  test("that of a function in a module of functions, at any depth", async () => {
    const inner = new Sequential({ scale: (x: Tensor) => mul(x, -1), log });
    const model = new Sequential({ first: square, block: new Sequential({ inner, last: exp }) });
    const error = await failure<NonFiniteError>(debug(() => model.call(one(2))));
    expect(error).toMatchObject({ op: "log", place: "block.inner.log", inputs: [] });
    expect(error.message).toMatch(/; expected finite numbers\. All its inputs were finite$/);
  });

  test("that of the op which joins a value that was there to others", async () => {
    const given = tensor([[Number.NaN, 1]]);
    const error = await failure(debug(() => mul(concat([ones([1, 2]), given], { axis: 0 }), 2)));
    expect(error).toMatchObject({ inputs: [{ value: "NaN" }] });
    expect((error as NonFiniteError).op).not.toBe("mul");
  });

  test("told by the states of a module that is called by itself", async () => {
    const model = new Deep();
    model.state(); // names them
    const [first] = (model.blocks[0] as Sequential).layers as Linear[];
    const place = "blocks.0.first.matmul";
    expect(await failure(debug(() => first.call(one(Number.NaN))))).toMatchObject({ place });
  });

  test("the optimizer and the parameter in its step", async () => {
    const p = new Parameter(ones([2]), { name: "w" });
    const q = new Parameter(ones([2]), { name: "b" });
    const optimizer = new Adam([p, q], { learningRate: 0.1 });
    const slopes = () => optimizer.apply([full([2], 1e25), full([2], 1)]);
    const step = compile(slopes);
    const error = await failure<NonFiniteError>(debug(() => step()));
    expect(error).toMatchObject({ op: "square", place: "Adam: w" });
    expect(error.message).toContain(
      "compile: infinity made by square of Adam: w in call 1, called",
    );
    expect(await p.toArray()).toEqual([1, 1]);
    const rate = () => log(tensor(-1));
    const all = new SGD([p, q], { learningRate: rate });
    const sgd = await failure<NonFiniteError>(debug(() => compile(() => all.apply([p, q]))()));
    expect(sgd).toMatchObject({ op: "log", place: "SGD" });
  });
});

describe("debug", () => {
  const bad = () => log(tensor([-1]));

  test("runs functions of both kinds and gives what they give", async () => {
    expect(await debug(() => 7)).toBe(7);
    expect(await debug(async () => [1])).toEqual([1]);
    await expect(debug(() => ({ y: [bad()] }))).rejects.toThrow("debug: NaN made by log");
    await expect(debug(() => Promise.reject(new RangeError("own")))).rejects.toThrow(RangeError);
    expect(await bad().item()).toBeNaN();
  });

  test("tells once, and lets the values be looked at", async () => {
    await debug(async () => {
      const y = bad();
      await expect(y.data()).rejects.toThrow(NonFiniteError);
      expect(await y.item()).toBeNaN();
    });
  });

  test("tells whoever reads first", async () => {
    await debug(async () => {
      const [x, y] = [tensor([1]).add(1), bad()];
      evaluate(y);
      await expect(x.data()).rejects.toThrow("evaluate: NaN made by log");
      expect(await x.item()).toBe(2);
    });
  });

  test("tells at its end of what nobody read", async () => {
    await expect(debug(() => evaluate(bad()))).rejects.toThrow(
      "evaluate: NaN made by log in evalu",
    );
  });

  test("forgets what was found in a function that failed otherwise", async () => {
    const failing = () => {
      evaluate(bad());
      throw new RangeError("own");
    };
    await expect(debug(failing)).rejects.toThrow(RangeError);
    expect(await debug(() => 1)).toBe(1);
    expect(Error.stackTraceLimit).toBe(limit);
  });

  test("may lie in another, and overlap; the last one's options hold", async () => {
    const one = debug(async () => {
      await debug(() => div(tensor([1]), 0), { infinities: "allow" });
      await expect(debug(() => div(tensor([1]), 0))).rejects.toThrow(NonFiniteError);
      await expect(bad().data()).rejects.toThrow(NonFiniteError);
    });
    await Promise.all([one, debug(() => one)]);
    expect(await bad().item()).toBeNaN();
  });

  test("of init lasts until it is ended", async () => {
    const { device } = await init({ ...testOptions, debug: true });
    try {
      await expect(bad().data()).rejects.toThrow(
        "data: NaN made by log in evaluation 1, called at",
      );
      expect((await init(testOptions)).device).toBe(device);
      await expect(bad().data()).rejects.toThrow(NonFiniteError);
      await init({ ...testOptions, debug: { infinities: "allow" } });
      expect(await div(tensor([1]), 0).item()).toBe(Number.POSITIVE_INFINITY);
    } finally {
      await init({ ...testOptions, debug: false });
    }
    expect(await bad().item()).toBeNaN();
  });

  test("refuses what it does not take", async () => {
    const rows: [() => Promise<unknown>, string][] = [
      [() => debug(3 as never), "debug: fn is 3; expected a function"],
      [
        () => debug(bad, { infinities: "no" as never }),
        'debug: infinities "no"; expected refuse or allow',
      ],
      [() => debug(bad, { inf: 1 } as never), 'debug: unknown option "inf"; expected infinities'],
      [() => debug(bad, {}, 1 as never), "debug: 1 after the options; expected nothing there"],
      [
        () => init({ debug: "yes" as never }),
        'init: debug: options "yes"; expected an object of infinities',
      ],
    ];
    for (const [run, says] of rows) await expect(run()).rejects.toThrow(says);
  });

  test("costs nothing where it is off: plans, kernels and counts are as they were", async () => {
    const device = await ownDevice(); // with no kernels of others
    const x = tensor([[1, 2], [3, 4]]); // biome-ignore format: a matrix
    const model = new Net(exp);
    const optimizer = new Adam(model.parameters(), { learningRate: 0.1 });
    /** Everything that a step compiles, and what a run of it asks of the device. */
    const asked = async () => {
      const loss = (net: Net, x: Tensor) => mean(net.call(x));
      const step = trainStep({ model, optimizer, loss, stepsPerSubmit: 1, mirrorEvery: null });
      const code = await kernelsOf(() => step.prepare(x));
      const { kernels, ...rest } = await step.plans[0].stats();
      const texts = kernels.map(async (kernel) => ({ ...kernel, code: await kernel.code?.() }));
      const stats = { ...rest, kernels: await Promise.all(texts) };
      await step(x);
      const mark = device.counters.now;
      await step(x);
      const counts = device.counters.since(mark);
      step.dispose();
      return { code, stats, counts };
    };
    const before = await asked();
    const under = await debug(asked);
    expect(await asked()).toEqual(before);
    expect(under.stats).not.toEqual(before.stats);
    expect(under.counts.reads).toBe(1);
    expect(before.counts.reads).toBe(0);
    if (inBrowser) expect(before.code).not.toHaveLength(0);
    if (inBrowser) expect(under.code).not.toEqual(before.code);
    device.dispose();
    await testDevice();
  });

  test("follows values that states have taken, and tensors that a scope frees", async () => {
    await debug(async () => {
      const w = new Parameter(tensor([1, 2]), { name: "w" });
      const next = mul(w, -1);
      w.assign(next);
      const error = await failure<NonFiniteError>(log(next).data());
      expect(error).toMatchObject({ op: "log", place: "log", inputs: [] });
      scope(() => {
        evaluate(log(next));
      });
      await expect(w.data()).rejects.toThrow("evaluate: NaN made by log");
      scope(() => log(mul(w, -1)));
      expect(await w.toArray()).toEqual([-1, -2]);
    });
  });

  test("leaves nothing behind", async () => {
    const device = await ownDevice(); // with nothing of other tests that may be reclaimed
    const w = new Parameter(tensor([1, 2]), { name: "w" });
    const step = compile((x: Tensor) => {
      w.assign(mul(w, x));
      return sum(log(w));
    });
    using x = tensor([2, 1]);
    const run = async () => {
      using y = await step(x);
      await y.data();
      await debug(async () => {
        using z = await step(x);
        await z.data();
        using wrong = tensor([-1, 1]);
        await step(wrong).catch(() => {});
      });
    };
    await run();
    const before = memory();
    for (let i = 0; i < 5; i++) await run();
    expect(memory()).toEqual({ ...before, reclaimed: expect.any(Number) });
    expect(await w.toArray()).toEqual([2 ** 12, 2]);
    device.dispose();
    await testDevice();
  });
});
