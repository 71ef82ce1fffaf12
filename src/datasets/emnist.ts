import { checkOptions, checkWords, type Known } from "../core/check.ts";
import { is } from "../core/dtype.ts";
import { GradusError } from "../core/errors.ts";
import { type DeviceDataset, mnist } from "../data/dataset.ts";
import { parseIdx, writeIdx } from "../data/idx.ts";
import { checkClassLabels, type PixelDataset } from "./images.ts";
import { loadFile } from "./load-file.ts";
import { checkPixelOptions, type PixelDatasetOptions } from "./options.ts";

/** The parts that EMNIST is published in. */
export type EmnistSplit = "byclass" | "bymerge" | "balanced" | "letters" | "digits" | "mnist";

/** Options of `loadEmnist`. */
export interface EmnistOptions extends Omit<PixelDatasetOptions, "from" | "cache" | "checksum"> {
  /** Which characters: 62 by class, 47 where small letters that look as capitals are these, 26 letters, 10 digits. */
  split: EmnistSplit;
  /** Where the split's four files lie, packed or not: an address, a folder in Node, or the files by name. */
  from: NonNullable<PixelDatasetOptions["from"]>;
}

const EMNIST: Known<EmnistOptions> = {
  split: "string",
  from: true,
  normalize: true,
  signal: true,
  onProgress: true,
  device: true,
};

const DIGITS = "0123456789";
const CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const SMALL = CAPITALS.toLowerCase();
/** Small letters that are told from capitals by more than their size. */
const MERGED = `${DIGITS}${CAPITALS}abdefghnqrt`;

const CLASSES: Readonly<Record<EmnistSplit, readonly string[]>> = {
  byclass: [...DIGITS, ...CAPITALS, ...SMALL],
  bymerge: [...MERGED],
  balanced: [...MERGED],
  letters: ["N/A", ...SMALL],
  digits: [...DIGITS],
  mnist: [...DIGITS],
};

/**
 * Loads EMNIST, handwritten letters and digits, images f32 `[n, 784]` of 28 × 28 pixels as those of
 * `loadMnist`: the files hold them with rows and columns exchanged, here they stand upright. Labels are
 * those of the files, of `letters` from 1 to 26; `classes` says what they mean, as in torchvision.
 *
 * It is published as one archive of 536 MB, `gzip.zip`, which is not fetched: unpack it, and give the place
 * of its files `emnist-letters-train-images-idx3-ubyte.gz` and so on. Their checksums are not published:
 * they are not checked.
 *
 * Source: Cohen, Afshar, Tapson and van Schaik 2017, "EMNIST: an extension of MNIST to handwritten letters".
 * @throws GradusError for files that are not to be had, other options, and when `signal` stops it;
 * FormatError for files of another form.
 * @example
 * const { train, classes } = await loadEmnist({ split: "letters", from: "data/emnist" });
 */
export async function loadEmnist(
  options: EmnistOptions,
  ...surplus: never[]
): Promise<PixelDataset> {
  const op = "loadEmnist";
  checkOptions(op, options, EMNIST, surplus);
  const { split, ...own } = options;
  checkWords(op, { split }, Object.keys(CLASSES) as EmnistSplit[]);
  if (own.from === undefined) {
    throw new GradusError(`${op}: no from; expected the address or folder of its files, or these`);
  }
  checkPixelOptions(op, own, []);
  const { normalize, device } = own;
  const read = async (part: string): Promise<DeviceDataset> => {
    const [images, labels] = await Promise.all(
      ["images-idx3", "labels-idx1"].map((kind) => {
        const file = { name: `emnist-${split}-${part}-${kind}-ubyte.gz`, bytes: 0, sha256: "" };
        return loadFile(op, { folder: "emnist", sources: [] }, file, { ...own, checksum: false });
      }),
    );
    checkClassLabels(op, labels, CLASSES[split].length);
    return mnist(upright(images), labels, {
      ...(normalize && { normalize }),
      ...(device && { device }),
    });
  };
  return { train: await read("train"), test: await read("test"), classes: CLASSES[split] };
}

/** Exchanges rows and columns of each picture of an IDX file; leaves other files to their reader. */
function upright(file: Uint8Array): Uint8Array {
  const { shape, dtype, data } = parseIdx("mnist: images", file);
  if (!is(dtype, "byte") || shape.length !== 3) return file;
  const [n, rows, columns] = shape;
  const turned = new Uint8Array(data.length);
  for (let i = 0; i < n; i++) {
    const start = i * rows * columns;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        turned[start + c * rows + r] = data[start + r * columns + c];
      }
    }
  }
  return writeIdx({ shape: [n, columns, rows], dtype: "u8", data: turned });
}
