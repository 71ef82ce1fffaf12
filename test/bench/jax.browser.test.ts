import { afterEach, expect, test, vi } from "vitest";
import { createJax } from "../../bench/peers/jax.ts";
import { findWorkload } from "../../bench/workloads/index.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test("a run on threads ends when they have nothing more to do, not with its loss", async () => {
  const asked = vi.spyOn(Worker.prototype, "postMessage");
  let answered = 0;
  class Counted extends Worker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      this.addEventListener("message", () => answered++);
    }
  }
  vi.stubGlobal("Worker", Counted);
  const peer = await createJax("wasm");
  const prepared = await peer.prepare(findWorkload("training 784-50-10 sigmoid, SGD, batch 100"));
  if (!prepared) throw new Error("no training");
  await prepared.result();
  for (let run = 0; run < 3; run++) {
    await prepared.run(2);
    const before = asked.mock.calls.length;
    expect(before).toBeGreaterThan(2); // there are threads
    expect(answered).toBe(before);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(asked).toHaveBeenCalledTimes(before);
  }
  prepared.dispose();
});
