import { FormatError } from "../core/errors.ts";
import { DeviceDataset } from "../data/dataset.ts";
import { tensor } from "../ops/creation.ts";
import type { PixelDataset } from "./images.ts";
import { loadFile } from "./load-file.ts";
import { checkPixelOptions, type PixelDatasetOptions } from "./options.ts";
import { readTar } from "./tar.ts";

const SET = {
  folder: "cifar-10",
  sources: ["https://www.cs.toronto.edu/~kriz/"],
};

// Length and checksum: TensorFlow Datasets, url_checksums.
const ARCHIVE = {
  name: "cifar-10-binary.tar.gz",
  bytes: 170_052_171,
  sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
};

const FOLDER = "cifar-10-batches-bin";
const TRAIN = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
const TEST = ["test_batch.bin"];

/** Bytes of an image: three planes of 32 × 32. */
const PIXELS = 3 * 32 * 32;

const CLASSES = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
];

/**
 * Loads CIFAR-10: 50,000 and 10,000 colour photographs of ten kinds of things, images f32
 * `[n, 3, 32, 32]`. They come from where they are published, unless `from` says otherwise, once: then the
 * archive is kept, 170 MB. That address lets no page of another read it: give `from` there.
 *
 * Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images".
 * @throws GradusError for an archive that is not to be had or not the published one, other options, and
 * when `signal` stops it; FormatError for an archive of another form.
 */
export async function loadCifar10(
  options: PixelDatasetOptions = {},
  ...surplus: never[]
): Promise<PixelDataset> {
  const op = "loadCifar10";
  checkPixelOptions(op, options, surplus);
  const files = readTar(op, await loadFile(op, SET, ARCHIVE, options));
  return {
    train: photographs(op, files, TRAIN, options),
    test: photographs(op, files, TEST, options),
    classes: CLASSES,
  };
}

/** Examples of some files, each a label and three planes of pixels behind it. */
function photographs(
  op: string,
  files: ReadonlyMap<string, Uint8Array>,
  names: readonly string[],
  { normalize, device }: PixelDatasetOptions,
): DeviceDataset {
  const parts = names.map((name) => recordsOf(op, name, files.get(`${FOLDER}/${name}`)));
  const size = parts.reduce((sum, { length }) => sum + length / (1 + PIXELS), 0);
  const images = new Uint8Array(size * PIXELS);
  const labels = new Uint8Array(size);
  let n = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 1 + PIXELS) {
      labels[n] = part[at];
      images.set(part.subarray(at + 1, at + 1 + PIXELS), n * PIXELS);
      n++;
    }
  }
  const wrong = labels.findIndex((label) => label >= CLASSES.length);
  if (wrong >= 0) {
    throw new FormatError(`${op}: label ${labels[wrong]} of example ${wrong}; expected 0 to 9`);
  }
  const pixels = tensor(images, { shape: [size, 3, 32, 32], device });
  return new DeviceDataset(pixels, tensor(labels, { device }), normalize);
}

function recordsOf(op: string, name: string, file: Uint8Array | undefined): Uint8Array {
  if (file && file.length > 0 && file.length % (1 + PIXELS) === 0) return file;
  const given = file ? `${file.length} bytes` : "nothing";
  throw new FormatError(
    `${op}: ${given} as ${name}; expected records of ${1 + PIXELS} bytes in ${FOLDER}`,
  );
}
