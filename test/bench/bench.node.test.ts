import { describe, expect, test } from "vitest";
import {
  BARS,
  formatVerdicts,
  type PassReport,
  passesIn,
  verdictsOf,
} from "../../bench/harness/bars.ts";
import { Host } from "../../bench/harness/host.ts";
import { readWishes } from "../../bench/harness/options.ts";
import { type Channel, channelOver, type Reply } from "../../bench/harness/protocol.ts";
import {
  parseReport,
  type Report,
  timedResult,
  timeRatio,
  withRatios,
} from "../../bench/harness/report.ts";
import { quantile, relativeError, summarize } from "../../bench/harness/statistics.ts";
import { runSuite, type Surroundings } from "../../bench/harness/suite.ts";
import { formatReport } from "../../bench/harness/table.ts";
import { BROWSER_LOADERS } from "../../bench/peers/browser-loaders.ts";
import { createGradus } from "../../bench/peers/gradus.ts";
import {
  BROWSER_PEERS,
  type Loaders,
  PEER_NAMES,
  type Peer,
  type PeerName,
  type Prepared,
} from "../../bench/peers/index.ts";
import { encodeOnnx } from "../../bench/peers/onnx-model.ts";
import { create as createTfjs } from "../../bench/peers/tfjs-cpu.ts";
import { provideDigits } from "../../bench/workloads/digits.ts";
import {
  convolution,
  figureOf,
  findWorkload,
  modelTraining,
  WORKLOADS,
} from "../../bench/workloads/index.ts";
import * as layers from "../../bench/workloads/layers.ts";
import type { Gpt, Model } from "../../bench/workloads/models.ts";
import { firstBatches, NETWORKS, type Network } from "../../bench/workloads/networks.ts";
import { uniformArray } from "../../bench/workloads/random.ts";
import {
  convolutionGradients,
  convolve,
  crossEntropy,
  joinConvolution,
  multiply,
  softmaxRows,
} from "../../bench/workloads/references.ts";
import { referenceLogits } from "../../bench/workloads/trainer.ts";
import { everything } from "../../site/bench/presets.ts";

describe("statistics", () => {
  test("quartiles lie linearly between neighbours", () => {
    expect(summarize([4, 1, 3, 2])).toEqual({ median: 2.5, q1: 1.75, q3: 3.25, min: 1, max: 4 });
    expect(summarize([7])).toEqual({ median: 7, q1: 7, q3: 7, min: 7, max: 7 });
    expect(quantile([1, 2, 10], 1)).toBe(10);
    expect(() => quantile([], 0.5)).toThrow("quantile: no numbers; expected at least one");
  });

  test("errors are relative to the largest value; lengths and NaN count", () => {
    expect(relativeError([1, 2.5], [1, 2])).toBe(0.25);
    expect(relativeError([0, 0], [0, 0])).toBe(0);
    expect(relativeError([1], [1, 2])).toBe(Number.POSITIVE_INFINITY);
    expect(relativeError([1, Number.NaN], [1, 2])).toBe(Number.POSITIVE_INFINITY);
  });

  test("figures follow from milliseconds", () => {
    expect(figureOf("GFLOP/s", 2e9, 500)).toBe(4);
    expect(figureOf("steps/s", 1, 4)).toBe(250);
    expect(figureOf("µs", 1, 0.5)).toBe(500);
  });
});

describe("references", () => {
  test("products, also of a transposed operand", () => {
    const b = { data: [5, 6, 7, 8], rows: 2, columns: 2 };
    const straight = { data: [1, 2, 3, 4], rows: 2, columns: 2 };
    expect([...multiply(straight, b)]).toEqual([19, 22, 43, 50]);
    const flipped = { data: [1, 3, 2, 4], rows: 2, columns: 2, transposed: true };
    expect([...multiply(flipped, b)]).toEqual([19, 22, 43, 50]);
    expect([...multiply(b, flipped)]).toEqual([23, 34, 31, 46]);
  });

  test("softmax and cross-entropy", () => {
    expect([...softmaxRows([1000, 1000, 0, 0], 2)]).toEqual([0.5, 0.5, 0.5, 0.5]);
    const { loss, gradient } = crossEntropy([0, 0, 0, 0], [0, 1]);
    expect(loss).toBeCloseTo(Math.LN2, 12);
    expect([...gradient]).toEqual([-0.25, 0.25, 0.25, -0.25]);
  });

  test("convolutions and their gradients, by differences", () => {
    const sizes = { batch: 2, size: 3, inputs: 2, outputs: 1, kernel: 2 };
    const [x, w] = [uniformArray(1, 36, -1, 1), uniformArray(2, 8, -1, 1)];
    const g = uniformArray(3, 8, -1, 1);
    const y = convolve(x, w, sizes);
    const [first] = y;
    const terms = [0, 1, 2, 3, 6, 7, 8, 9].map((from, k) => x[from] * w[k]);
    expect(first).toBeCloseTo(
      terms.reduce((a, b) => a + b),
      12,
    );
    const { loss, dx, dw } = convolutionGradients({ x, w, g }, sizes);
    const lossOf = (p: Float64Array, q: Float64Array) =>
      convolve(p, q, sizes).reduce((sum, value, i) => sum + value * g[i], 0);
    const moved = (list: ArrayLike<number>, at: number) =>
      Float64Array.from(list, (value, i) => value + (i === at ? 1 : 0));
    expect(loss).toBeCloseTo(lossOf(moved(x, -1), moved(w, -1)), 12);
    for (const at of [0, 7, 35]) {
      expect(lossOf(moved(x, at), moved(w, -1)) - loss).toBeCloseTo(dx[at], 12);
    }
    for (const at of [0, 5]) {
      expect(lossOf(moved(x, -1), moved(w, at)) - loss).toBeCloseTo(dw[at], 12);
    }
    const joined = joinConvolution([[loss], dx, dw], sizes);
    expect([joined.length, joined[1]]).toEqual([1 + 36 + 8, dx[0] / 2]);
  });

  test("layers' gradients, by differences", () => {
    const gpt = SMALL_MODELS[1] as Gpt;
    const x = layers.variable(uniformArray(1, 3 * 5 * 3 * 8, -1, 1));
    const [scale, shift] = [2, 3].map((seed) => layers.variable(uniformArray(seed, 8, -1, 1)));
    const labels = Int32Array.from({ length: 15 }, (_, i) => i % 8);
    const all = [x, scale, shift];
    const run = () => {
      const tape = new layers.Tape();
      const y = tape.normalize(tape.gelu(tape.attend(x, gpt)), [scale, shift], 8);
      return { tape, loss: tape.crossEntropy(y, labels) };
    };
    run().tape.back();
    for (const { data, gradient } of all) {
      for (const at of [0, 3, data.length - 1]) {
        const [value, step] = [data[at], 1e-5];
        const [more, less] = [step, -step].map((change) => {
          data[at] = value + change;
          return run().loss;
        });
        data[at] = value;
        expect(Math.abs((more - less) / (2 * step) - gradient[at])).toBeLessThan(1e-8);
      }
    }
  });

  test("names are unique, and operands are the same each time", () => {
    expect(new Set(WORKLOADS.map(({ name }) => name)).size).toBe(WORKLOADS.length);
    expect(firstBatches({ ...NETWORKS[0] }, 1)).toEqual(firstBatches(NETWORKS[0], 1));
    expect(() => findWorkload("x")).toThrow('bench: workload "x"; expected one of WORKLOADS');
  });
});

test("the ONNX model gives the reference's logits in ONNX Runtime", async () => {
  const { InferenceSession, Tensor } = await import("onnxruntime-web");
  const network: Network = { ...NETWORKS[2], sizes: [20, 7, 5, 3], batchSize: 4 };
  const session = await InferenceSession.create(encodeOnnx(network));
  const [{ images }] = firstBatches(network, 1);
  const { logits } = await session.run({ images: new Tensor("float32", images, [4, 20]) });
  expect(logits.dims).toEqual([4, 3]);
  const values = (await logits.getData()) as Float32Array;
  expect(relativeError(values, referenceLogits(network))).toBeLessThan(1e-6);
  await session.release();
});

const SMALL_MODELS: readonly Model[] = [
  {
    kind: "convolutional",
    name: "small CNN",
    size: 8,
    channels: [3, 4],
    classes: 5,
    learningRate: 0.01,
    batchSize: 6,
  },
  {
    kind: "gpt",
    name: "small GPT",
    vocabulary: 7,
    width: 8,
    heads: 2,
    length: 5,
    blocks: 2,
    learningRate: 0.01,
    batchSize: 3,
  },
];

/** A place whose hosts live in this process. */
function surroundings(loaders: Loaders): Surroundings {
  const connect = (): Channel => {
    const host = new Host(loaders);
    let listener: (reply: Reply) => void = () => {};
    return channelOver({
      send: async (command) => listener(await host.handle(command)),
      onReply: (given) => {
        listener = given;
      },
      close: () => {},
    });
  };
  return { platform: "test", cores: 1, isolated: false, versions: { gradus: "0" }, connect };
}

/** A peer that gives zeros. */
const wrong: Peer = {
  device: "wrong",
  prepare: async ({ reference }) => ({
    result: async () => new Float32Array(reference().length),
    run: async () => {},
    dispose: () => {},
  }),
};

const loaders: Loaders = {
  "gradus-cpu": () => createGradus({ device: "cpu", engine: "compiled" }),
  "tfjs-cpu": async () => wrong,
  "ort-wasm": async () => ({ device: "none", prepare: async () => null }),
  "jax-js-wasm": async () => {
    throw new Error("no such thing");
  },
};

async function measure(only: string, peers?: string): Promise<Report> {
  const options = { ...readWishes({ only, peers, rounds: "2" }), roundMs: 1 };
  return runSuite(options, surroundings(loaders));
}

describe("the suite", () => {
  test("times what is right and ranks neither wrong answers nor errors", async () => {
    const report = await measure(
      "softmax of rows .100,10",
      "gradus-cpu,tfjs-cpu,jax-js-wasm,ort-wasm",
    );
    expect(report.results.map(({ peer, status }) => [peer, status])).toEqual([
      ["gradus-cpu", "ok"],
      ["tfjs-cpu", "wrong"],
      ["jax-js-wasm", "error"],
      ["ort-wasm", "missing"],
    ]);
    const [ours, ...others] = report.results;
    expect(ours.milliseconds?.median).toBeGreaterThan(0);
    expect(ours).toMatchObject({ rounds: 2, unit: "µs", ratios: {} });
    expect(ours.error).toBeLessThan(1e-6);
    for (const other of others) expect(other.milliseconds).toBeUndefined();
    expect(report.results[1].message).toMatch(/^off by 1\.0e\+0; expected at most 1e-5$/);
    expect(report.results[2].message).toBe("no such thing");
    expect(parseReport(JSON.stringify(report))).toEqual(report);
    expect(formatReport(report, report)).toMatch(/1\.00× as fast as before/);
  });

  test("gradus-cpu agrees with every small reference", { timeout: 60_000 }, async () => {
    const report = await measure(
      "matmul .(100|64|784)|100,10|of rows|128,10|784-50-10|Adam, batch 64|4-8-3|6-2 relu|4 ×",
      "gradus-cpu",
    );
    expect(report.results.length).toBeGreaterThan(10);
    expect(report.results.filter(({ status }) => status !== "ok")).toEqual([]);
    const counted = report.results.filter(({ made }) => made);
    expect(counted.length).toBe(4); // the training runs: their steps make nothing
    for (const { made } of counted) {
      expect(made).toEqual({ buffers: 0, pipelines: 0, modules: 0, plans: 0 });
    }
  });

  test("gradus-cpu agrees with small convolutions", async () => {
    const peer = await createGradus({ device: "cpu", engine: "compiled" });
    for (const gradients of [false, true]) {
      const sizes = { batch: 2, size: 5, inputs: 3, outputs: 4, kernel: 3 };
      const workload = convolution(sizes, gradients);
      const work = (await peer.prepare(workload)) as Prepared;
      expect(relativeError(await work.result(), workload.reference())).toBeLessThan(1e-6);
      work.dispose();
    }
  });

  test.each(SMALL_MODELS)(
    "gradus-cpu and tfjs-cpu train a small $kind as the reference does",
    async (model) => {
      const workload = modelTraining(model);
      const wanted = workload.reference();
      expect(wanted.every((loss, i) => i === 0 || Math.abs(loss - wanted[i - 1]) > 1e-4)).toBe(
        true,
      );
      for (const open of [loaders["gradus-cpu"], createTfjs]) {
        const peer = (await open?.()) as Peer;
        const work = (await peer.prepare(workload)) as Prepared;
        expect(relativeError(await work.result(), wanted)).toBeLessThan(1e-5);
        await work.run(2);
        work.dispose();
      }
    },
  );

  test("goes on where a workload cannot be had, and leaves out who is not to take part", async () => {
    provideDigits(async () => {
      throw new Error("no digits");
    });
    const options = readWishes({ only: "97 %|softmax of rows .100,10|4 ×", rounds: "1" });
    const report = await runSuite({ ...options, roundMs: 1 }, surroundings(loaders));
    const taken = report.results.filter(({ workload }) => /registers/.test(workload));
    expect(taken.map(({ peer }) => peer)).toEqual(["gradus-cpu"]);
    expect(report.results.some(({ workload }) => workload.startsWith("softmax"))).toBe(true);
    expect(report.notes).toContain(
      "97 % on MNIST, 784-512-512-10 relu, Adam, batch 128: left out, for no digits",
    );
  });

  test("gives ratios to ours", () => {
    const time = (median: number) => ({ median, q1: 0, q3: 0, min: 0, max: 0 });
    const base = { workload: "w", status: "ok", unit: "ms" } as const;
    const [, , theirs, failed] = withRatios([
      { ...base, peer: "gradus-webgpu", status: "error" },
      { ...base, peer: "gradus-cpu", milliseconds: time(2) },
      { ...base, peer: "tfjs-cpu", milliseconds: time(5) },
      { ...base, peer: "tfjs-wasm", status: "error" },
    ]);
    expect(theirs.ratios).toEqual({ "gradus-cpu": 2.5 });
    expect(failed.ratios).toBeUndefined();
  });

  test("takes ratios round by round, since a slow minute meets all", () => {
    const base = { workload: "w", status: "ok", unit: "ms" } as const;
    const [slow, ours] = [
      { ...base, peer: "tfjs-cpu", samples: [4, 40, 6], milliseconds: summarize([4, 40, 6]) },
      { ...base, peer: "gradus-cpu", samples: [1, 10, 2], milliseconds: summarize([1, 10, 2]) },
    ] as const;
    expect(timeRatio(slow, ours)).toBe(4);
    expect(timeRatio({ ...slow, samples: [4] }, ours)).toBe(3); // of medians
    expect(timeRatio({ ...slow, samples: undefined, milliseconds: undefined }, ours)).toBeNaN();
  });

  test("a host that does not answer becomes an error", async () => {
    const silent = channelOver({ send: () => {}, onReply: () => {}, close: () => {} }, 10);
    await expect(silent.call({ kind: "release" })).rejects.toThrow("release: no answer in 0.01 s");
  });
});

test("a browser is asked for no peer that it does not have", () => {
  expect(BROWSER_PEERS).toEqual(PEER_NAMES.filter((name) => BROWSER_LOADERS[name]));
  expect(everything().peers).toEqual(BROWSER_PEERS);
  expect(() => readWishes({ peers: "numpy" }, BROWSER_PEERS)).toThrow("--peers: numpy; expected");
});

describe("the bars of the CPU device", () => {
  test("each is of workloads and libraries that there are, and one pass measures them", () => {
    const passes = [...passesIn("node"), ...passesIn("page")];
    for (const { workloads, peers, place } of BARS) {
      for (const name of workloads) findWorkload(name);
      const pass = passes.find((one) => one.place === place && one.peers.join() === peers.join());
      expect(pass?.workloads).toEqual(expect.arrayContaining([...workloads]));
      expect(peers.every((peer) => PEER_NAMES.includes(peer))).toBe(true);
    }
  });

  /** Results in which each library takes so many milliseconds a run, whatever it does. */
  function measured(milliseconds: Partial<Record<PeerName, number>>): PassReport[] {
    return [...passesIn("node"), ...passesIn("page")].map((pass) => {
      const results = pass.workloads.flatMap((name) =>
        pass.peers.flatMap((peer) => {
          const ms = milliseconds[peer];
          const made = { buffers: 0, modules: 0 };
          return ms ? [{ ...timedResult(findWorkload(name), peer, 0, [ms], 1), made }] : [];
        }),
      );
      return { ...pass, report: { results } as unknown as Report };
    });
  }

  test("compare with the best of the others; what is missing does not hold", () => {
    const all = verdictsOf(
      measured({ "gradus-cpu": 0.002, "gradus-cpu-plain": 0.008, "jax-js-wasm": 0.01 }),
    );
    const find = (what: string) => all.find((one) => one.what.startsWith(what));
    expect(find("A, steps/s against the plain")).toMatchObject({ value: 4, holds: false });
    expect(find("A, steps/s against the better")).toMatchObject({ value: 5, holds: false });
    expect(find("B, steps/s against the better")).toMatchObject({ value: 5, holds: true });
    expect(find("A, first step")).toMatchObject({ value: 0.2, holds: true });
    expect(find("4-8-3")).toMatchObject({ value: 2, holds: true, unit: "µs" });
    expect(find("softmax")).toMatchObject({ value: null, holds: false });
    expect(find("C with two threads")).toMatchObject({ value: null, holds: false });
    expect(find("buffers")).toMatchObject({ value: 0, holds: true });
    const table = formatVerdicts(all);
    expect(table).toMatch(
      /^\| A, first step.* \| ≤ 0\.3 \| ≤ 0\.1 \| 0\.200 × \| yes \| gradus-cpu 0\.002/m,
    );
    expect(table).toMatch(/^\| softmax .* \| not measured \| \*\*no\*\* \| .*tfjs-wasm – \|$/m);
  });
});

test("wishes that fit nothing are refused", () => {
  expect(readWishes({ peers: "jax-js" }).peers).toEqual(["jax-js-webgpu", "jax-js-wasm"]);
  expect(readWishes({ peers: "gradus-cpu,ort" }).peers).toEqual([
    "gradus-cpu",
    "ort-webgpu",
    "ort-wasm",
  ]);
  expect(() => readWishes({ only: "nothing" })).toThrow(/^--only: nothing; expected a regular/);
  expect(() => readWishes({ only: "(" })).toThrow(/^--only: Invalid regular expression/);
  expect(() => readWishes({ peers: "x" })).toThrow(/^--peers: x; expected names of gradus-webgpu/);
  expect(() => readWishes({ rounds: "0" })).toThrow("--rounds: 0; expected an integer from 1");
  expect(() => parseReport("{}")).toThrow(/^bench: the file has no format "gradus-bench\/1"/);
  expect(() => parseReport("x")).toThrow("bench: the file is no JSON; expected a report");
});
