import type { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import { defaultDevice } from "../../src/graph/default-device.ts";
import { type KilledRun, trainThrough } from "../../test/support/killed-run.ts";
import type { Check } from "../context.ts";

const [STEPS, MIRROR_EVERY, LOST_AT] = [24, 4, 11];

/** A recovery that takes longer than this counts as slow on a GPU, in milliseconds. */
const SLOW_MS = 2000;

const lose = () => (defaultDevice() as GpuDevice).device.destroy();

function train(lostAt: readonly number[], reproducible: boolean): Promise<KilledRun> {
  return trainThrough(STEPS, MIRROR_EVERY, lostAt, lose, reproducible);
}

function haveSameBits(a: KilledRun, b: KilledRun): boolean {
  return JSON.stringify(a.bits) === JSON.stringify(b.bits);
}

/** What becomes of a training run whose GPUDevice is lost in the middle of it. */
export const life: Check = {
  name: "Loss of the device",
  seconds: { quick: 1.5, full: 3 },
  run: async (context) => {
    const straight = await train([], false);
    context.progress("trains through a loss", 0.5);
    const lost = await train([LOST_AT], false);
    const isSame = haveSameBits(straight, lost);
    // A compiler may add otherwise in the plain kernels with which a run begins, before and after a loss.
    const isSameByOne = isSame || haveSameBits(await train([], true), await train([LOST_AT], true));
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
    const [same, other] = ["the bits of a run without a loss", "other bits than without a loss"];
    const why = "; by default this compiler adds otherwise in the first kernels of a run";
    context.line({
      name: "weights after it",
      verdict: isSameByOne ? "ok" : "wrong",
      text: isSame
        ? same
        : isSameByOne
          ? `${same} where init is told to be reproducible${why}`
          : other,
    });
  },
};
