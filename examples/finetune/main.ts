import { init } from "gradus";
import { saveSafetensors } from "gradus/io";
import { loraState, mergeLora, removeLora, unmergeLora } from "gradus/nn";
import { teller } from "../command/events.ts";
import { ResultFile } from "../command/result-file.ts";
import { interruption, run } from "../command/run.ts";
import { loadMnist } from "../mnist/data.ts";
import { loadTorchNetwork } from "./network.ts";
import { ADAPTERS, HELP, type Options, readOptions } from "./options.ts";
import { accuracyOf, adapt } from "./training.ts";

/** Parameters of the network for each unit of an adapter's rank, and more, in bytes. */
const BYTES_PER_RANK = 8000;

async function main(options: Options): Promise<void> {
  const { shift, rank, alpha, seed } = options;
  const file = new ResultFile(ADAPTERS);
  await file.probe(BYTES_PER_RANK * (rank + 1));
  const signal = interruption();
  const tell = teller(options.json);
  const { device, reason } = await init({ device: options.device });
  tell(
    { event: "start", device: device.kind, description: device.description, reason },
    `Device: ${device.kind}, ${device.description} (${reason})\n` +
      `PyTorch's network on ${shift} digits, adapters of rank ${rank}, alpha ${alpha}, seed ${seed}`,
  );
  const model = await loadTorchNetwork();
  const { trainData, testData } = await loadMnist(options.data);
  const plain = await accuracyOf(model, testData);
  const before = await accuracyOf(model, testData, shift);
  tell(
    { event: "before", plain, shifted: before },
    `Before: ${percent(plain)} of plain digits, ${percent(before)} of ${shift} ones`,
  );
  const began = performance.now();
  const steps = await adapt(model, trainData, options, {
    signal,
    onProgress: (step, loss) =>
      tell({ event: "progress", step, loss }, `step ${step}: loss ${loss.toFixed(4)}`),
  });
  const seconds = (performance.now() - began) / 1000;
  const bytes = await saveSafetensors(loraState(model));
  await file.write(bytes);
  const shifted = await accuracyOf(model, testData, shift);
  const merged = await accuracyOf(mergeLora(model), testData, shift);
  const without = await accuracyOf(removeLora(unmergeLora(model)), testData);
  tell(
    {
      event: "done",
      device: device.kind,
      steps,
      seconds,
      shifted,
      merged,
      plain: without,
      adapters: file.path,
      bytes: bytes.length,
    },
    `${signal.aborted ? "Stopped" : "Done"}: ${steps} steps in ${seconds.toFixed(1)} s on ${device.kind}\n` +
      `After: ${percent(shifted)} of ${shift} digits, merged ${percent(merged)}; without adapters ` +
      `${percent(without)} of plain ones\nAdapters: ${file.path}, ${bytes.length} bytes`,
  );
  device.dispose();
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

await run(HELP, readOptions, main);
