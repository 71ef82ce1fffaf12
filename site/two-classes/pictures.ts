/** Pictures of two classes: drawn here, or the reader's own. */
import { foldIn, keyFromSeed, tensor } from "gradus";
import { DeviceDataset } from "gradus/data";
import { ImageDataset } from "gradus/pictures";
import { drawHead, headKey, KINDS } from "../../examples/folders/draw.ts";
import { NORMALIZE, type OwnPicture, SIZE } from "./sizes.ts";

/** Pictures on the device, the class of each, 0 or 1, and their names. */
export interface Pictures {
  readonly data: DeviceDataset;
  readonly labels: number[];
  readonly names: string[];
}

/** The last planes that were drawn, for a net that is to learn from the same pictures. */
let last: { readonly name: string; readonly planes: Promise<Uint8Array<ArrayBuffer>> } | null =
  null;

/** Draws heads of cats and of dogs, half of each. */
export async function drawnPictures(count: number, seed: number): Promise<Pictures> {
  const labels = Array.from({ length: count }, (_, i) => i % 2);
  const names = labels.map((label, i) => `${KINDS[label].slice(0, -1)} ${(i >> 1) + 1}`);
  const name = `${count} ${seed}`;
  if (last?.name !== name) last = { name, planes: draw(labels, seed) };
  const images = tensor(await last.planes, { shape: [count, 3, SIZE, SIZE] });
  const data = new DeviceDataset(images, tensor(Uint8Array.from(labels)), NORMALIZE);
  return { data, labels, names };
}

/** Draws a head for each label as `[3, SIZE, SIZE]`, which convolutions take. */
async function draw(labels: readonly number[], seed: number): Promise<Uint8Array<ArrayBuffer>> {
  const key = foldIn(keyFromSeed(seed), 5);
  const area = SIZE * SIZE;
  const planes = new Uint8Array(3 * area * labels.length);
  for (const [n, label] of labels.entries()) {
    const pixels = await drawHead(KINDS[label], headKey(key, KINDS[label], n >> 1), SIZE);
    for (const [i, value] of pixels.entries()) {
      planes[(3 * n + (i % 3)) * area + Math.floor(i / 3)] = value;
    }
  }
  return planes;
}

/** Decodes the reader's pictures to the same size. */
export async function ownPictures(own: readonly OwnPicture[]): Promise<Pictures> {
  const options = { size: SIZE, classes: [0, 1], normalize: NORMALIZE };
  using files = new ImageDataset(own, options);
  const data = await files.load();
  return { data, labels: [...files.labels], names: own.map(({ name }) => name) };
}
