import { gradusOn } from "../../bench/peers/gradus.ts";
import { provideDigits } from "../../bench/workloads/digits.ts";
import { findWorkload } from "../../bench/workloads/index.ts";
import { type Check, messageOf, NotThere } from "../context.ts";

const NAME = "97 % on MNIST, 784-512-512-10 relu, Adam, batch 128";

/** How long it takes to learn digits. */
export const digits: Check = {
  name: "MNIST",
  isFree: true,
  seconds: { quick: 0.1, full: 60 },
  run: async (context) => {
    if (context.isQuick) throw new NotThere("left to the full run");
    const { digits } = context.surroundings;
    if (!digits) throw new NotThere("its files are not at hand");
    const isGpu = context.facts !== null && !context.isSoftware;
    const device = isGpu ? await context.bench.engine() : await context.bench.compiledCpu();
    provideDigits(digits);
    const workload = findWorkload(NAME);
    try {
      await workload.load?.();
    } catch (error) {
      throw new NotThere(messageOf(error));
    }
    workload.inputs();
    const prepared = await gradusOn(device).prepare(workload);
    await prepared?.result();
    context.progress("learns", 0.3);
    const start = performance.now();
    await prepared?.run(1);
    const figure = (performance.now() - start) / 1000;
    prepared?.dispose();
    context.line({
      name: "97 % of the test images",
      verdict: "ok",
      text: `784-512-512-10 with Adam on the ${isGpu ? "GPU" : "CPU device, since there is no real GPU"}`,
      ...{ figure, unit: "s", isLessBetter: true },
    });
  },
};
