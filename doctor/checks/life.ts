import type { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import { defaultDevice } from "../../src/graph/default-device.ts";
import { trainThrough } from "../../test/support/killed-run.ts";
import type { Check } from "../context.ts";

const [STEPS, MIRROR_EVERY, LOST_AT] = [24, 4, 11];

/** A recovery that takes longer than this counts as slow on a GPU, in milliseconds. */
const SLOW_MS = 2000;

/** What becomes of a training run whose GPUDevice is lost in the middle of it. */
export const life: Check = {
  name: "Loss of the device",
  seconds: { quick: 1.5, full: 3 },
  run: async (context) => {
    const straight = await trainThrough(STEPS, MIRROR_EVERY, [], () => {});
    context.progress("trains through a loss", 0.5);
    const lose = () => (defaultDevice() as GpuDevice).device.destroy();
    const lost = await trainThrough(STEPS, MIRROR_EVERY, [LOST_AT], lose);
    await context.bench.engine(); // the default one again
    const recovered = lost.news.find((news) => news.event === "recovered");
    if (recovered?.event !== "recovered") {
      const news = lost.news.map(({ event }) => event).join(", ") || "nothing";
      context.line({
        name: "recovery",
        verdict: "wrong",
        text: `told of ${news}; expected a recovery`,
      });
      return;
    }
    const { milliseconds, repeated, dropped, kind } = recovered;
    const isSlow = milliseconds > SLOW_MS && !context.isSoftware;
    context.line({
      name: "recovery",
      verdict: kind !== "webgpu" || dropped > 0 ? "wrong" : isSlow ? "slow" : "ok",
      text: `goes on on ${kind}, ${repeated} steps made again, ${dropped} dropped`,
      ...{ figure: milliseconds, unit: "ms", isLessBetter: true },
    });
    const isSame = JSON.stringify(straight.bits) === JSON.stringify(lost.bits);
    context.line({
      name: "weights after it",
      verdict: isSame ? "ok" : "wrong",
      text: isSame
        ? "the bits of a run without a loss"
        : "other bits than those of a run without a loss",
    });
  },
};
