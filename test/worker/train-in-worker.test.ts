import { beforeAll, describe, expect, test, vi } from "vitest";
import { GradusError, ShapeError } from "../../src/core/errors.ts";
import { loadSafetensors } from "../../src/io/portable.ts";
import { NonFiniteLossError, RunControl } from "../../src/train/index.ts";
import { type AnyWorker, trainInWorker, trainJob } from "../../src/worker/index.ts";
import { inBrowser, testDevice } from "../support/device.ts";
import type job from "./blobs-job.ts";
import type { Settings } from "./blobs-job.ts";

beforeAll(() => testDevice());

async function startWorker(): Promise<AnyWorker> {
  if (inBrowser) return new Worker(new URL("./blobs-job.ts", import.meta.url), { type: "module" });
  const { startNodeJob } = await import("../support/node-job.ts");
  return startNodeJob("test/worker/blobs-job.ts");
}

const settings: Settings = { learningRate: 0.5, epochs: 3 };

async function open(given: Partial<Settings> = {}, options = {}, used?: AnyWorker) {
  const worker = used ?? (await startWorker());
  const run = trainInWorker<typeof job>(worker, { ...settings, ...given }, options);
  return { worker, run, [Symbol.asyncDispose]: async () => {} };
}

describe("a run in a worker", () => {
  test("tells of its steps, captures and notes, and answers calls", async () => {
    const { worker, run } = await open();
    const steps: number[] = [];
    const losses: number[] = [];
    const notes: string[] = [];
    for await (const event of run) {
      if (event.event === "note") notes.push(event.note.text);
      if (event.event !== "step") continue;
      steps.push(event.step);
      losses.push(event.loss);
      expect(event.values?.hidden.shape).toEqual([20, 4]);
      expect(event.values?.hidden.data).toHaveLength(80);
    }
    expect(await run.done).toEqual({ step: 6, stopped: false });
    expect(steps).toEqual([1, 2, 3, 4, 5, 6]);
    expect(losses[5]).toBeLessThan(losses[0]);
    expect(notes).toEqual(["set up on cpu", "ended at 6"]);
    const [first, second] = await run.call("predict", [1, 1]);
    expect(first + second).toBeCloseTo(1, 5);
    expect(await run.call("steps")).toBe(6);
    await expect(run.call("stepz" as "steps")).rejects.toThrow(
      'trainInWorker: call of "stepz"; expected one of predict, steps',
    );

    const bytes = await run.save();
    expect([...loadSafetensors(bytes).keys()].sort()).toEqual([
      "hidden.bias",
      "hidden.weight",
      "output.bias",
      "output.weight",
    ]);
    const theirs = await run.save({ to: "pytorch" });
    await expect(run.load(theirs)).rejects.toThrow('expected { from: "pytorch" }');
    const rename = [[/^hidden\./, "other."]] as const;
    await expect(run.load(theirs, { from: "pytorch", rename })).rejects.toThrow("missing [hidden");
    expect(await run.load(theirs, { from: "pytorch", rename, strict: false })).toEqual({
      missing: ["hidden.weight", "hidden.bias"],
      unknown: ["other.bias", "other.weight"],
    });
    expect(await run.load(theirs, { from: "pytorch" })).toEqual({ missing: [], unknown: [] });
    expect(await run.save()).toEqual(bytes);
    await expect(run.load(...([theirs, {}, 1] as unknown as [Uint8Array]))).rejects.toThrow(
      "load(bytes, options)",
    );
    // The same worker again, with what the first run has learnt.
    const again = trainInWorker<typeof job>(worker, { ...settings, epochs: 0 });
    await again.done.catch(() => {});
    await again.load(bytes);
    expect(await again.call("predict", [1, 1])).toEqual([first, second]);
    await again.close();
    await expect(again.save()).rejects.toThrow("trainInWorker: the run was closed");
    worker.terminate();
  });

  test("pauses, makes single steps, takes another rate and stops", async () => {
    const { worker, run } = await open({ epochs: 10_000 });
    await run.ready;
    await run.pause();
    const paused = await run.call("steps");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await run.call("steps")).toBe(paused);
    await run.step(4);
    expect(await run.call("steps")).toBe(paused + 4);
    const before = await run.call("predict", [1, 1]);
    await run.set({ learningRate: 0, gravity: 3 });
    await run.step(2);
    expect(await run.call("steps")).toBe(paused + 6);
    expect(await run.call("predict", [1, 1])).toEqual(before);
    await run.set({ learningRate: 0.5 });
    await run.step();
    expect(await run.call("predict", [1, 1])).not.toEqual(before);
    await run.pause();
    await expect(run.set({ learningrate: 1 } as never)).rejects.toThrow(
      'trainInWorker: set "learningrate"; expected one of learningRate, gravity',
    );
    await expect(run.step(0)).rejects.toThrow("count 0; expected an integer from 1");
    await run.resume();
    const other = trainInWorker<typeof job>(worker, settings);
    await expect(other.done).rejects.toThrow("a run goes on in this worker");
    await run.stop();
    expect((await run.done).stopped).toBe(true);
    worker.terminate();
  });

  test("ends by a signal", async () => {
    const stop = new AbortController();
    const { worker, run } = await open({ epochs: 10_000 }, { signal: stop.signal });
    await run.ready;
    stop.abort();
    expect((await run.done).stopped).toBe(true);
    worker.terminate();
  });

  test("has errors of the job with their own classes", async () => {
    const worker = await startWorker();
    for (const [fault, kind, text] of [
      ["setup", ShapeError, "setup: nothing fits"],
      ["loss", TypeError, "loss: no such thing"],
      ["nan", NonFiniteLossError, /^train: loss NaN at step 1 in epoch 0/],
      [
        "job",
        GradusError,
        "trainJob: job null; expected an object of model, optimizer, loss, loader",
      ],
      ["part", GradusError, /^train: loader .*5; expected/],
    ] as const) {
      const { run } = await open({ fault }, {}, worker);
      const error = await run.done.then(
        () => null,
        (thrown: Error) => thrown,
      );
      if (fault === "job" || fault === "part") await expect(run.ready).rejects.toBe(error);
      expect(error).toBeInstanceOf(kind);
      expect(error?.message).toMatch(text);
      expect(error?.name).toBe(kind.name);
      if (error instanceof NonFiniteLossError) expect(error.epoch).toBe(0);
      await expect(
        (async () => {
          for await (const _ of run);
        })(),
      ).rejects.toBe(error);
    }
    worker.terminate();
  });
});

describe("a run that is steered while it is set up", () => {
  const long = { epochs: 10_000, wait: 100 };

  test("ends by stop and by a signal", async () => {
    const worker = await startWorker();
    for (const way of ["stop", "signal", "signal before"]) {
      const stop = new AbortController();
      if (way === "signal before") stop.abort();
      const { run } = await open(long, { signal: stop.signal }, worker);
      if (way === "stop") await run.stop();
      stop.abort();
      expect(await run.done).toEqual({ step: 0, stopped: true });
      await run.ready;
    }
    worker.terminate();
  });

  test("makes no step before what was asked at once, in a worker that is warm", async () => {
    const worker = await startWorker();
    const warm = { epochs: 10_000 };
    const { run: first } = await open({}, {}, worker);
    await first.done;
    // What follows the start comes late, as where the page is busy.
    const post = worker.postMessage.bind(worker);
    worker.postMessage = (...given: Parameters<typeof post>) => {
      if ((given[0] as { kind: string }).kind === "start") post(...given);
      else setTimeout(() => post(...given), 100);
    };
    const { run: stopped } = await open(warm, { signal: AbortSignal.abort() }, worker);
    expect(await stopped.done).toEqual({ step: 0, stopped: true });
    const { run: paused } = await open(warm, {}, worker);
    await paused.pause();
    expect(await paused.call("steps")).toBe(0);
    await paused.close();
    expect(await paused.done).toEqual({ step: 0, stopped: true });
    worker.terminate();
  });

  test("rests, makes single steps and takes values when it is there", async () => {
    const { worker, run } = await open(long);
    await expect(run.set({ learningRate: 1 })).rejects.toThrow(
      "trainInWorker: set with no job yet; expected one that is set up. Await ready",
    );
    await run.pause();
    expect(await run.call("steps")).toBe(0);
    await run.step(2);
    expect(await run.call("steps")).toBe(2);
    worker.terminate();
  });

  test("is freed by close", async () => {
    const { worker, run } = await open(long);
    await run.close();
    expect(await run.done).toEqual({ step: 0, stopped: true });
    const notes: string[] = [];
    for await (const event of run) if (event.event === "note") notes.push(event.note.text);
    expect(notes).toEqual(["set up on cpu", "ended at 0", "freed"]);
    worker.terminate();
  });
});

test("a run that is closed while it trains ends before what it holds is freed", async () => {
  const { worker, run } = await open({ epochs: 10_000 });
  await run.ready;
  const saved = run.save();
  await Promise.all([run.close(), run.close()]);
  expect((await run.done).stopped).toBe(true);
  expect((await saved).length).toBeGreaterThan(0);
  worker.terminate();
});

test("a run's handle reaches no other run of its worker", async () => {
  const { worker, run: first } = await open();
  await first.done;
  const run = trainInWorker<typeof job>(worker, { ...settings, epochs: 10_000 });
  await run.ready;
  const refused = trainInWorker<typeof job>(worker, settings);
  await expect(refused.done).rejects.toThrow("a run goes on in this worker");
  for (const other of [first, refused]) {
    const rule = "by a run that its worker does not hold; expected the one that it began last";
    await expect(other.save()).rejects.toThrow(`trainInWorker: save ${rule}`);
    await expect(other.call("steps")).rejects.toThrow(`trainInWorker: call ${rule}`);
    await expect(other.set({ learningRate: 9 })).rejects.toThrow(`trainInWorker: set ${rule}`);
    await expect(other.load(new Uint8Array())).rejects.toThrow(`trainInWorker: load ${rule}`);
    await other.stop();
    await other.pause();
    await other.close();
  }
  await run.pause();
  const before = await run.call("steps");
  expect(await run.call("rate")).toBe(0.5);
  expect((await run.save()).length).toBeGreaterThan(0);
  await run.step(3);
  expect(await run.call("steps")).toBe(before + 3);
  await run.close();
  expect((await run.done).stopped).toBe(true);
  worker.terminate();
});

test.each(["SAM", "OptimizerGroup"] as const)("the rate of %s can be set", async (around) => {
  const { worker, run } = await open({ around });
  await run.ready;
  await run.set({ learningRate: 0.25 });
  expect(await run.call("rate")).toBe(0.25);
  expect(await run.done).toEqual({ step: 6, stopped: false });
  worker.terminate();
});

test("two who go through one run share its events, and both come to an end", async () => {
  const { worker, run } = await open();
  const steps: number[] = [];
  const go = async () => {
    for await (const event of run) if (event.event === "step") steps.push(event.step);
  };
  await Promise.all([go(), go()]);
  expect(steps.sort()).toEqual([1, 2, 3, 4, 5, 6]);
  worker.terminate();
});

test("calls fail as their functions do, and what are no values is refused", async () => {
  const { worker, run } = await open();
  await run.done;
  await expect(run.call("fail", "RangeError")).rejects.toThrow(RangeError);
  await expect(run.call("fail", "null")).rejects.toThrow("null");
  await expect(run.set(null as never)).rejects.toThrow(
    "trainInWorker: set null; expected an object of values by name",
  );
  worker.terminate();
});

test.runIf(!inBrowser)(
  "runs that are over leave one set of listeners, and are asked on",
  async () => {
    const worker = (await startWorker()) as unknown as NodeJS.EventEmitter & AnyWorker;
    const names = ["message", "error", "exit"];
    const counts = () => names.map((name) => worker.listenerCount(name));
    const before = counts();
    for (let i = 0; i < 3; i++) await trainInWorker<typeof job>(worker, settings).done;
    const run = trainInWorker<typeof job>(worker, settings);
    await run.done;
    expect(counts()).toEqual(before.map((count) => count + 1));
    expect(await run.call("steps")).toBe(6);
    await run.close();
    expect(counts()).toEqual(before);
    worker.terminate();
  },
);

describe.runIf(!inBrowser)("a worker of Node", () => {
  const endOf = async (script: string) => {
    const { Worker: NodeWorker } = await import("node:worker_threads");
    return trainInWorker(new NodeWorker(script, { eval: true }), settings).done;
  };

  test("that throws no error says what", async () => {
    await expect(endOf("throw null")).rejects.toThrow("trainInWorker: the worker ended (null)");
  });

  test("that tells what cannot be copied says so", async () => {
    const { run } = await open({ fault: "note", epochs: 10_000 });
    await expect(run.done).rejects.toThrow(
      /^trainInWorker: the worker ended \(trainJob: tell: .*; expected what can be copied\)/,
    );
  });

  test("that never calls trainJob is warned of", async () => {
    const { Worker: NodeWorker } = await import("node:worker_threads");
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    vi.useFakeTimers();
    try {
      const script = 'require("worker_threads").parentPort.on("message", () => {})';
      const worker = new NodeWorker(script, { eval: true });
      trainInWorker(worker, settings).done.catch(() => {});
      vi.advanceTimersByTime(10_000);
      expect(warn.mock.calls).toEqual([
        [
          "gradus: trainInWorker: no answer of the worker for 10 seconds; expected its script to call trainJob",
        ],
      ]);
      await worker.terminate();
    } finally {
      vi.useRealTimers();
      warn.mockRestore();
    }
  });

  test("is started by who calls", () => {
    expect(() => trainInWorker("job.js", settings)).toThrow(
      'trainInWorker: "job.js" where there is no Worker; expected a worker. ' +
        "In Node give new Worker(url) of node:worker_threads",
    );
  });

  test("that has ended already is told of", async () => {
    const { Worker: NodeWorker } = await import("node:worker_threads");
    const worker = new NodeWorker("0", { eval: true });
    await worker.terminate();
    const run = trainInWorker(worker, settings);
    for (const promise of [run.ready, run.done, run.save()]) {
      await expect(promise).rejects.toThrow(
        "trainInWorker: the worker ended (its thread is over); expected it to run on",
      );
    }
    await run.close();
  });
});

test.runIf(!inBrowser)("a worker that ends is told of to all who wait", async () => {
  const { run } = await open({ fault: "exit" });
  await expect(run.done).rejects.toThrow("trainInWorker: the worker ended (exit code 3)");
  await expect(run.save()).rejects.toThrow("trainInWorker: the worker ended");
});

test.runIf(inBrowser)("a script that does not load is told of, and closing ends it", async () => {
  const run = trainInWorker(new URL("./nowhere.ts", import.meta.url), settings);
  await expect(run.done).rejects.toThrow("trainInWorker: the worker ended");
  await run.close();
});

test("what is no worker is refused, outside of one too", () => {
  expect(() => trainInWorker(5 as never, settings)).toThrow(
    "trainInWorker: worker 5; expected a Worker, or the URL of its script",
  );
  expect(() => trainJob(() => ({}) as never)).toThrow(/^trainJob: called outside of a worker/);
  expect(() => new RunControl().step(0)).toThrow(
    "RunControl: step: count 0; expected an integer from 1",
  );
});
