import { init } from "gradus";
import { saveSafetensors } from "gradus/io";
import { teller } from "../command/events.ts";
import { ResultFile } from "../command/result-file.ts";
import { interruption, run } from "../command/run.ts";
import { lastValues, linearForecast, rootMeanSquare } from "./baselines.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { noisySeries, partsOf } from "./series.ts";
import { forecast, trainForecaster } from "./training.ts";

/** How the networks are called. */
const TITLES = { lstm: "LSTM", tcn: "temporal convolution" } as const;

async function main(options: Options): Promise<void> {
  const { hidden, horizon, window, noise, seed } = options;
  const networks = options.network === "both" ? (["lstm", "tcn"] as const) : [options.network];
  const files = networks.map((name) => new ResultFile(`runs/forecast-${name}.safetensors`));
  for (const file of files) await file.probe(200 * hidden * (hidden + horizon) + 10_000);
  const signal = interruption();
  const tell = teller(options.json);
  const { device, reason } = await init({ device: options.device });
  tell(
    { event: "start", device: device.kind, description: device.description, reason },
    `Device: ${device.kind}, ${device.description} (${reason})\n` +
      `Forecast: ${horizon} values of ${window}, noise ${noise}, ${hidden} hidden values, seed ${seed}`,
  );
  const [train, test] = partsOf(await noisySeries(options), options);
  const errorOf = (made: ArrayLike<number>) => rootMeanSquare(made, test.targets);
  const errors: Record<string, number> = {
    last: errorOf(lastValues(test)),
    linear: errorOf(linearForecast(train, test)),
  };
  const lines = [
    `last value: error ${errors.last.toFixed(4)}`,
    `linear function: error ${errors.linear.toFixed(4)}`,
  ];
  tell({ event: "baselines", ...errors }, lines.join("\n"));
  const steps: number[] = [];
  const began = performance.now();
  for (const [i, network] of networks.entries()) {
    if (signal.aborted) break;
    const title = TITLES[network];
    const started = performance.now();
    const { model, step } = await trainForecaster(network, train, options, {
      signal,
      onProgress: ({ step, loss }) => {
        const text = `${title}: step ${step}, loss ${loss.toFixed(5)}`;
        tell({ event: "progress", network, step, loss }, text);
      },
    });
    const seconds = (performance.now() - started) / 1000;
    steps.push(step);
    const error = errorOf(await forecast(model, test));
    errors[network] = error;
    await files[i].write(await saveSafetensors(model));
    const { path } = files[i];
    tell(
      { event: "trained", network, steps: step, seconds, error, weights: path },
      `${title}: error ${error.toFixed(4)} after ${step} steps in ${seconds.toFixed(1)} s, ${path}`,
    );
    model.dispose();
  }
  const seconds = (performance.now() - began) / 1000;
  tell(
    { event: "done", device: device.kind, steps, seconds, errors, stopped: signal.aborted },
    `${signal.aborted ? "Stopped" : "Done"} after ${seconds.toFixed(1)} s on ${device.kind}`,
  );
  device.dispose();
}

await run(HELP, readOptions, main);
