import { init } from "gradus";
import { saveSafetensors } from "gradus/io";
import { teller } from "../command/events.ts";
import { ResultFile } from "../command/result-file.ts";
import { interruption, run } from "../command/run.ts";
import { HELP, type Options, readOptions, WEIGHTS } from "./options.ts";
import { loadText } from "./text.ts";
import { baselinesOf, trainOnText } from "./training.ts";

async function main(options: Options): Promise<void> {
  const { layers, heads, width, context } = options;
  const weights = new ResultFile(WEIGHTS);
  await weights.probe(4 * layers * 13 * width * width + 100_000);
  const signal = interruption();
  const tell = teller(options.json);
  const { device, reason } = await init({ device: options.device });
  const text = await loadText(options.data);
  const baselines = baselinesOf(text);
  const { unigram, bigram, trigram } = baselines;
  const shown = [unigram, bigram, trigram].map((x) => x.toFixed(3)).join(", ");
  tell(
    {
      event: "start",
      device: device.kind,
      description: device.description,
      reason,
      characters: text.length,
      ...baselines,
    },
    `Device: ${device.kind}, ${device.description} (${reason})\n` +
      `Text: ${text.length} characters; counts of one, two and three: ${shown} nats per character\n` +
      `Network: ${layers} blocks of ${heads} heads, width ${width}, context ${context}`,
  );
  const began = performance.now();
  const { model, history, step } = await trainOnText(text, options, {
    signal,
    onProgress: (progress) => {
      const { step, loss, validation, sample } = progress;
      tell(
        { event: "progress", ...progress },
        `\nstep ${step}: loss ${loss.toFixed(3)}, ${validation.toFixed(3)} on other text\n${sample}`,
      );
    },
  });
  const seconds = (performance.now() - began) / 1000;
  await weights.write(await saveSafetensors(model));
  const validation = history.at(-1)?.validation ?? null;
  const parameters = model.size;
  const end =
    validation === null ? "" : `, ${validation.toFixed(3)} nats per character of other text`;
  tell(
    {
      event: "done",
      device: device.kind,
      steps: step,
      seconds,
      parameters,
      validation,
      weights: weights.path,
    },
    `\n${signal.aborted ? "Stopped" : "Done"}: ${step} steps of ${parameters} parameters in ` +
      `${seconds.toFixed(0)} s on ${device.kind}${end}\nWeights: ${weights.path}`,
  );
  device.dispose();
}

await run(HELP, readOptions, main);
