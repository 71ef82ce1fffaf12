import { FormatError } from "../core/errors.ts";
import { type DeviceDataset, mnist } from "../data/dataset.ts";
import { parseIdx } from "../data/idx.ts";
import { loadFile, type PublishedFile, type PublishedSet } from "./load-file.ts";
import { checkPixelOptions, type PixelDatasetOptions } from "./options.ts";

/** Labelled images for training and for testing. */
export interface PixelDataset {
  readonly train: DeviceDataset;
  readonly test: DeviceDataset;
  /** What the labels 0, 1 and so on mean. */
  readonly classes: readonly string[];
}

/** The four files of MNIST and its like. */
interface IdxFiles extends PublishedSet {
  /** Images and labels for training, then those for testing. */
  readonly files: readonly [PublishedFile, PublishedFile, PublishedFile, PublishedFile];
  readonly classes: readonly string[];
}

const NAMES = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"];

type Facts = readonly (readonly [bytes: number, sha256: string, unpacked?: string])[];

/** Files of the names that MNIST has, with their lengths and checksums. */
function idxFiles(facts: Facts): IdxFiles["files"] {
  const files = facts.map(([bytes, sha256, unpacked], i) => {
    return { name: `${NAMES[i]}-ubyte.gz`, bytes, sha256, unpacked };
  });
  return files as unknown as IdxFiles["files"];
}

// Lengths and checksums of packed files: TensorFlow Datasets, url_checksums.
const MNIST = (): IdxFiles => ({
  folder: "mnist",
  sources: [
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
  ],
  files: idxFiles([
    [
      9_912_422,
      "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
      "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ],
    [
      28_881,
      "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
      "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ],
    [
      1_648_877,
      "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
      "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ],
    [
      4_542,
      "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
      "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ],
  ]),
  classes: Array.from("0123456789"),
});

const FASHION = (): IdxFiles => ({
  folder: "fashion-mnist",
  sources: [
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
  ],
  files: idxFiles([
    [26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"],
    [29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"],
    [4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"],
    [5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"],
  ]),
  classes: [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
  ],
});

const KUZUSHIJI = (): IdxFiles => ({
  folder: "kmnist",
  sources: ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"],
  files: idxFiles([
    [18_165_135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"],
    [29_497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"],
    [3_041_136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"],
    [5_120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"],
  ]),
  classes: ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
});

/**
 * Loads MNIST: 60,000 and 10,000 handwritten digits, images f32 `[n, 784]` of 28 × 28 pixels, as `mnist`
 * of `gradus/data` makes them of files. They come from where they are published, unless `from` says
 * otherwise, once: then they are kept, 12 MB.
 *
 * Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits".
 * @throws GradusError for files that are not to be had or not the published ones, other options, and
 * when `signal` stops it; FormatError for files of another form.
 * @example
 * const { train, test, classes } = await loadMnist({ from: "data/mnist" });
 * console.log(train.size, test.size, classes.length);
 */
export async function loadMnist(
  options: PixelDatasetOptions = {},
  ...surplus: never[]
): Promise<PixelDataset> {
  return loadIdx("loadMnist", MNIST(), options, surplus);
}

/**
 * Loads Fashion-MNIST, 60,000 and 10,000 articles of clothing of ten kinds, as `loadMnist` loads digits;
 * 31 MB.
 *
 * Source: Xiao, Rasul and Vollgraf 2017, "Fashion-MNIST: a novel image dataset for benchmarking machine
 * learning algorithms"; MIT licence.
 * @throws what `loadMnist` throws.
 */
export async function loadFashionMnist(
  options: PixelDatasetOptions = {},
  ...surplus: never[]
): Promise<PixelDataset> {
  return loadIdx("loadFashionMnist", FASHION(), options, surplus);
}

/**
 * Loads Kuzushiji-MNIST, 60,000 and 10,000 characters of old Japanese script, one of each of ten rows of
 * hiragana, as `loadMnist` loads digits; 21 MB. It is published at an address without https, from which a
 * page with https may not load: give `from` there.
 *
 * Source: Clanuwat et al. 2018, "Deep learning for classical Japanese literature"; CC BY-SA 4.0.
 * @throws what `loadMnist` throws.
 */
export async function loadKmnist(
  options: PixelDatasetOptions = {},
  ...surplus: never[]
): Promise<PixelDataset> {
  return loadIdx("loadKmnist", KUZUSHIJI(), options, surplus);
}

async function loadIdx(
  op: string,
  set: IdxFiles,
  options: PixelDatasetOptions,
  surplus: readonly unknown[],
): Promise<PixelDataset> {
  checkPixelOptions(op, options, surplus);
  const { normalize, device } = options;
  const contents: Uint8Array[] = [];
  for (const file of set.files) contents.push(await loadFile(op, set, file, options));
  const [images, labels, testImages, testLabels] = contents;
  for (const file of [labels, testLabels]) checkClassLabels(op, file, set.classes.length);
  const own = { ...(normalize && { normalize }), ...(device && { device }) };
  return {
    train: mnist(images, labels, own),
    test: mnist(testImages, testLabels, own),
    classes: set.classes,
  };
}

/** Throws a `FormatError` for a label that is no class. */
export function checkClassLabels(op: string, file: Uint8Array, count: number): void {
  const { data } = parseIdx("mnist: labels", file);
  const wrong = data.findIndex((label) => label >= count);
  if (wrong < 0) return;
  throw new FormatError(
    `${op}: label ${data[wrong]} of example ${wrong}; expected 0 to ${count - 1}`,
  );
}
