import { expect, test } from "vitest";
import { trainInWorker } from "../../src/worker/index.ts";
import { startNodeJob } from "../support/node-job.ts";
import type job from "./lost-job.ts";

test("what a page sets while a device is being made again holds from then on", async () => {
  const worker = await startNodeJob("test/worker/lost-job.ts");
  const run = trainInWorker<typeof job>(worker, {});
  const heard: string[] = [];
  let wasRecovering = false;
  for await (const { event, step } of run as AsyncIterable<{ event: string; step: number }>) {
    if (event === "deviceLost" || event === "recovered") heard.push(event);
    if (event === "step" && step === 3) void run.call("lose");
    if (event === "deviceLost") {
      const setting = run.set({ learningRate: 0.02, strength: 5 });
      wasRecovering = await run.call("isRecovering");
      await run.call("goOn");
      await setting;
    }
    if (heard.includes("recovered")) break;
  }
  expect(wasRecovering).toBe(true);
  expect(heard).toEqual(["deviceLost", "recovered"]);
  const [rate, strength] = await run.call("values");
  expect(rate).toBe(0.02);
  expect(strength).toBe(5);
  await run.close();
  worker.terminate();
});
