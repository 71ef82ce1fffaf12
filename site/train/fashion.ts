/** Fashion-MNIST of files that the user has, or of an address that the user has asked for. */
import type { DeviceDataset } from "gradus/data";
import { loadFashionMnist } from "gradus/datasets";
import type { Digits } from "../shell/digits.ts";
import type { Own } from "./choices.ts";

type From = NonNullable<Own["fashion"]>;

/** Pictures in the form of MNIST's, with the names of their classes. */
export interface Fashion {
  readonly train: Digits;
  readonly test: Digits;
  readonly classes: readonly string[];
}

/** Bytes of the four published files. */
const TOTAL_BYTES = 26_421_880 + 29_515 + 4_422_102 + 5_148;

/** What was read last, for a run with other settings. */
let last: { readonly key: string; readonly content: Promise<Fashion> } | null = null;

/**
 * Reads the four files; those that are published are checked by their checksums and kept in the browser.
 * Other files may be of another size. Throws where one of them is missing or of another form.
 */
export function loadFashion(
  from: From,
  progress: (received: number, total: number) => void,
): Promise<Fashion> {
  const key = keyOf(from);
  if (last?.key === key) return last.content;
  const content = read(from, progress);
  last = { key, content };
  content.catch(() => {
    if (last?.content === content) last = null; // the next run tries again
  });
  return content;
}

/** Tells files from others by their names, sizes and times. */
function keyOf(from: From): string {
  if (typeof from === "string") return from;
  return Object.values(from)
    .map(({ name, size, lastModified }) => `${name} ${size} ${lastModified}`)
    .join();
}

async function read(
  from: From,
  progress: (received: number, total: number) => void,
): Promise<Fashion> {
  const loaded = new Map<string, number>();
  const options = from === "published" ? {} : { from, checksum: false };
  try {
    const { train, test, classes } = await loadFashionMnist({
      ...options,
      onProgress(file) {
        loaded.set(file.file, file.loaded);
        progress(
          [...loaded.values()].reduce((a, b) => a + b),
          TOTAL_BYTES,
        );
      },
    });
    using trained = train;
    using tested = test;
    return { train: await bytesOf(trained), test: await bytesOf(tested), classes };
  } catch (error) {
    const told = (error as Error).message
      .replace(/^(loadFashionMnist|mnist): /, "")
      .replace(/\. Give from: .*$/s, "");
    const advice =
      from === "published" ? " Try again later, or choose your copies of the files." : "";
    throw new Error(`Fashion-MNIST cannot be read: ${told}.${advice}`);
  }
}

async function bytesOf({ images, labels, size }: DeviceDataset): Promise<Digits> {
  if (images.size !== 784 * size) throw new Error("pictures of another size; expected 28 × 28");
  const [x, t] = await Promise.all([images.data(), labels.data()]);
  return { images: x as Uint8Array<ArrayBuffer>, labels: t as Uint8Array<ArrayBuffer> };
}
