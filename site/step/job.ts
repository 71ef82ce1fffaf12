/** The worker of the page: trains a model, and tells what its step is made of. */
import { init } from "gradus";
import { trainStep } from "gradus/train";
import { trainJob } from "gradus/worker";
import { type Forms, formsOf, listen } from "./forms.ts";
import type { ModelName } from "./model-names.ts";
import { type Batch, make } from "./models.ts";

/** What one part of the step takes on this device. */
export interface PartTime {
  readonly ops: readonly string[];
  readonly micros: number;
  readonly flops: number;
  readonly bytes: number;
  /** The function that computes it, where one is compiled. */
  readonly name: string;
}

export default trainJob(async ({ model: name }: { model: ModelName }) => {
  const { device } = await init();
  const traced = listen(device);
  const { model, optimizer, loader, loss } = make(name);
  const first = (await loader.epoch(0).next()).value as Batch;
  // #region look
  const step = trainStep({ model, optimizer, loss });
  const plan = await step.prepare(first);
  const stats = await plan.stats();
  // #endregion
  const { forms, codes } = formsOf(traced());
  const calls = {
    forms: (): Forms => forms,
    device: (): string => device.description,
    /** The WGSL of a dispatch. */
    code: (i: number): string => codes[i],
    /** The code of a part on this device. */
    own: async (i: number): Promise<string> => (await stats.kernels[i].code?.()) ?? "",
    times: async (): Promise<PartTime[]> => {
      const { kernels } = await step.profile(first);
      return stats.kernels.map(({ groups, flops, bytes, function: name = "" }, i) => {
        return { ops: groups.flat(), micros: kernels[i].duration, flops, bytes, name };
      });
    },
  };
  const onEvent = () => new Promise<void>((go) => setTimeout(go, 30)); // slow enough to watch
  return { model, optimizer, loss, loader, epochs: 100_000, metricsEvery: 5, onEvent, calls };
});
