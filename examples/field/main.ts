import { encode } from "fast-png";
import { init } from "gradus";
import { saveSafetensors } from "gradus/io";
import { teller } from "../command/events.ts";
import { ResultFile } from "../command/result-file.ts";
import { interruption, run } from "../command/run.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { drawPicture, pixelsOf } from "./picture.ts";
import { paint, psnrOf, trainField } from "./training.ts";

async function main(options: Options): Promise<void> {
  const { size, hidden, frequencies, scale, seed } = options;
  const file = new ResultFile(options.picture);
  await file.probe(6 * size * size + 1000);
  const weights = new ResultFile("runs/field.safetensors");
  await weights.probe(4 * (hidden + 2 * frequencies) * (hidden + 10) + 10_000);
  const signal = interruption();
  const tell = teller(options.json);
  const { device, reason } = await init({ device: options.device });
  const network = `${2 * frequencies} Fourier features of spread ${scale}, ${hidden}-${hidden}-3`;
  tell(
    { event: "start", device: device.kind, description: device.description, reason },
    `Device: ${device.kind}, ${device.description} (${reason})\nField: ${network}, seed ${seed}`,
  );
  const picture = await drawPicture(seed);
  const pixels = pixelsOf(picture, size);
  const began = performance.now();
  const { model, step } = await trainField(pixels, options, {
    signal,
    onProgress: ({ step, loss, psnr }) => {
      const text = `step ${step}: loss ${loss.toFixed(5)}, ${psnr.toFixed(2)} dB`;
      tell({ event: "progress", step, loss, psnr }, text);
    },
  });
  const seconds = (performance.now() - began) / 1000;
  const painted = await paint(model, pixels);
  const psnr = psnrOf(painted, pixels.colours);
  // The field at twice the pixels a side, between those that it was trained on.
  const fine = pixelsOf(picture, 2 * size);
  const finePsnr = psnrOf(await paint(model, fine), fine.colours);
  await file.write(sideBySide(size, pixels.colours, painted));
  await weights.write(await saveSafetensors(model));
  tell(
    {
      event: "done",
      device: device.kind,
      steps: step,
      seconds,
      psnr,
      finePsnr,
      picture: file.path,
    },
    `${signal.aborted ? "Stopped" : "Done"}: ${step} steps in ${seconds.toFixed(1)} s on ${device.kind}, ` +
      `${psnr.toFixed(2)} dB, ${finePsnr.toFixed(2)} dB at ${2 * size} × ${2 * size}\n` +
      `Picture: ${file.path}\nWeights: ${weights.path}`,
  );
  device.dispose();
}

/** Gives a PNG file with two square pictures, one beside the other. */
function sideBySide(
  size: number,
  left: Float32Array,
  right: Float32Array,
): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(size * size * 6);
  for (const [side, colours] of [left, right].entries()) {
    for (let i = 0; i < size * size * 3; i++) {
      const [row, at] = [Math.floor(i / (size * 3)), i % (size * 3)];
      data[(2 * row + side) * size * 3 + at] = Math.round(255 * colours[i]);
    }
  }
  return Uint8Array.from(encode({ width: 2 * size, height: size, data, channels: 3, depth: 8 }));
}

await run(HELP, readOptions, main);
