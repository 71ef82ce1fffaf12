import { describe, expect, test } from "vitest";
import { Host } from "../../bench/harness/host.ts";
import { readWishes } from "../../bench/harness/options.ts";
import { type Channel, channelOver, type Reply } from "../../bench/harness/protocol.ts";
import { parseReport, type Report, withRatios } from "../../bench/harness/report.ts";
import { quantile, relativeError, summarize } from "../../bench/harness/statistics.ts";
import { runSuite, type Surroundings } from "../../bench/harness/suite.ts";
import { formatReport } from "../../bench/harness/table.ts";
import { createGradus } from "../../bench/peers/gradus.ts";
import type { Loaders, Peer } from "../../bench/peers/index.ts";
import { encodeOnnx } from "../../bench/peers/onnx-model.ts";
import { figureOf, findWorkload, WORKLOADS } from "../../bench/workloads/index.ts";
import { firstBatches, NETWORKS, type Network } from "../../bench/workloads/networks.ts";
import { crossEntropy, multiply, softmaxRows } from "../../bench/workloads/references.ts";
import { referenceLogits } from "../../bench/workloads/trainer.ts";

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
  "gradus-cpu": () => createGradus("cpu"),
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

  test("gradus-cpu agrees with every small reference", { timeout: 30_000 }, async () => {
    const report = await measure(
      "matmul .(100|64|784)|100,10|of rows|128,10|784-50-10|Adam, batch 64",
      "gradus-cpu",
    );
    expect(report.results.length).toBeGreaterThan(10);
    expect(report.results.filter(({ status }) => status !== "ok")).toEqual([]);
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

  test("a host that does not answer becomes an error", async () => {
    const silent = channelOver({ send: () => {}, onReply: () => {}, close: () => {} }, 10);
    await expect(silent.call({ kind: "release" })).rejects.toThrow("release: no answer in 0.01 s");
  });
});

test("wishes that fit nothing are refused", () => {
  expect(readWishes({ peers: "jax-js" }).peers).toEqual(["jax-js-webgpu", "jax-js-wasm"]);
  expect(() => readWishes({ only: "nothing" })).toThrow(/^--only: nothing; expected a regular/);
  expect(() => readWishes({ only: "(" })).toThrow(/^--only: Invalid regular expression/);
  expect(() => readWishes({ peers: "x" })).toThrow(/^--peers: x; expected names of gradus-webgpu/);
  expect(() => readWishes({ rounds: "0" })).toThrow("--rounds: 0; expected an integer from 1");
  expect(() => parseReport("{}")).toThrow(/^bench: the file has no format "gradus-bench\/1"/);
  expect(() => parseReport("x")).toThrow("bench: the file is no JSON; expected a report");
});
