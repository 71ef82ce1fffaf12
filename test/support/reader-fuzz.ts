/** Every reader of files, with files to damage and what holds for whatever is read. */

import { readWav } from "../../src/audio/index.ts";
import { sizeOf } from "../../src/core/shape.ts";
import { type CsvOptions, readCsv } from "../../src/csv/index.ts";
import { type IdxArray, mnist, readIdx, writeIdx } from "../../src/data/index.ts";
import { readTar } from "../../src/datasets/tar.ts";
import { GradusError, init, setDefaultDevice, tensor, zeros } from "../../src/index.ts";
import {
  loadCheckpoint,
  loadNpy,
  loadNpz,
  loadSafetensors,
  loadState,
  readSafetensors,
  saveCheckpoint,
  saveNpy,
  saveNpz,
  writeSafetensors,
} from "../../src/io/index.ts";
import { Linear } from "../../src/nn/index.ts";
import { Adam } from "../../src/optim/index.ts";
import {
  CharacterTokenizer,
  type TokenizerJson,
  tokenizerFromJson,
  trainBpe,
} from "../../src/text/index.ts";
import { type Bytes, type Framing, joined, mutate } from "./mutate.ts";
import { wavFile } from "./wav-file.ts";

/** A format of files and what reads it. */
interface Format {
  readonly files: readonly Bytes[];
  readonly framing?: Framing;
  /** Reads a file; gives what throws if that cannot be right. */
  read(file: Bytes, number: number): (() => void) | Promise<() => void>;
}

const encode = (text: string) => new TextEncoder().encode(text);

const csvFiles = [
  "a,b,species\n1,2.5,cat\n-3e2,4,dog\n+.5,1e-3,cat\n",
  'name;"x ""y"""\r\n"two\nlines";1\r\n "b" ; 2 \r\n',
  "\ufeffa\tb\r1\t2\r\r3\t4",
  "1,2,3\n4,5,6",
  "__proto__,constructor\nx,1\ny,2\n",
];

/** The options for each file. */
const csvOptions: readonly CsvOptions[] = [
  { labels: ["species"], missing: ["", "NA"] },
  { delimiter: ";", labels: ["name"] },
  { delimiter: "\t", columns: ["b"] },
  { names: ["a", "b", "c"], labels: ["c"] },
  { labels: ["constructor"], columns: [], classes: { constructor: ["1", "2"] } },
];

const idxFiles: readonly IdxArray[] = [
  { dtype: "u8", shape: [2, 3, 2], data: Uint8Array.from({ length: 12 }, (_, i) => i) },
  { dtype: "i16", shape: [3], data: Int16Array.of(1, -2, 300) },
  { dtype: "f64", shape: [2, 1], data: Float64Array.of(0.5, -1e300) },
  { dtype: "f32", shape: [0, 5], data: new Float32Array() },
];

const safetensors: readonly Bytes[] = [
  writeSafetensors({}),
  writeSafetensors(
    {
      "a.weight": { dtype: "F32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
      __proto__: { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 3) },
      "": { dtype: "F64", shape: [], data: Float64Array.of(Math.PI) },
      "0": { dtype: "I64", shape: [1, 0], data: new BigInt64Array() },
      flag: { dtype: "BOOL", shape: [2], data: Uint8Array.of(0, 1) },
    },
    { format: "pt", note: 'é "quoted"\n' },
  ),
];

/** The header of a safetensors file is its text; the length in front of it is kept true. */
const headed: Framing = {
  textOf: (file) => {
    if (file.length < 8) return [0, file.length];
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    return [8, Math.min(file.length, 8 + length)];
  },
  withText: (file, text) => {
    const [, end] = headed.textOf(file);
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
    return joined(length, text, file.slice(end));
  },
};

/** Makes all formats, on the CPU. */
export async function formats(): Promise<Readonly<Record<string, Format>>> {
  const { device } = await init({ device: "cpu" });
  setDefaultDevice(device);
  const model = new Linear(2, 3, { seed: 1 });
  const optimizer = new Adam(model.parameters(), { learningRate: 0.1 });
  const parts = { model, optimizer };
  const values = { history: [{ epoch: 0, loss: Number.NaN }], deep: [[[1]]], text: "é" };
  const checkpoint = await saveCheckpoint(parts, values);
  const weights = writeSafetensors({
    weight: { dtype: "F32", shape: [2, 3], data: new Float32Array(6) },
    bias: { dtype: "F32", shape: [3], data: new Float32Array(3) },
  });
  const idx = idxFiles.map(writeIdx);
  const special = { specialTokens: ["<end>"] };
  const tokenizers = [
    trainBpe("low lower lowest low", { vocabularySize: 262, ...special }),
    new CharacterTokenizer("é low\ud800", special),
  ];
  const arrays = [tensor([[1, 2, 3]]), tensor([true, false]), zeros([0, 2], { dtype: "i16" })];
  const npy = await Promise.all(arrays.map((x) => saveNpy(x)));
  const npz = [await saveNpz(model), await saveNpz(model, { compressed: true })];
  return {
    csv: {
      files: csvFiles.map(encode),
      read: (file, number) => {
        const table = readCsv(file, csvOptions[number % csvOptions.length]);
        return () => {
          const lengths = [...table.columns.values()].map(({ length }) => length);
          demand(table.size > 0 && lengths.every((length) => length === table.size));
          demand(table.matrix().length === lengths.length * table.size);
        };
      },
    },
    idx: {
      files: idx,
      read: (file) => {
        const array = readIdx(file);
        return () => demand(same(writeIdx(array), file));
      },
    },
    mnist: {
      files: idx,
      read: (file) => {
        const labels = writeIdx({ dtype: "u8", shape: [2], data: Uint8Array.of(1, 0) });
        const { images } = mnist(file, labels);
        return () => demand(images.shape[0] === 2 && sizeOf(images.shape) < file.length);
      },
    },
    safetensors: {
      files: safetensors,
      framing: headed,
      read: (file) => {
        const { tensors, metadata } = readSafetensors(file);
        return () => {
          const again = writeSafetensors(tensors, metadata);
          const read = readSafetensors(again);
          demand(same(writeSafetensors(read.tensors, read.metadata), again));
          const data = [...tensors.values()].reduce((sum, x) => sum + x.data.byteLength, 0);
          demand(read.tensors.size === tensors.size && data < file.length);
        };
      },
    },
    weights: {
      files: [weights],
      framing: headed,
      read: (file) => {
        for (const x of loadSafetensors(file).values()) x.dispose();
        loadState(model, file);
        return () => {};
      },
    },
    npy: {
      files: npy,
      read: async (file) => {
        const x = loadNpy(file);
        const { byteLength } = await x.data();
        x.dispose();
        return () => demand(byteLength <= 2 * file.length);
      },
    },
    npz: {
      files: npz,
      read: async (file) => {
        const tensors = await loadNpz(file);
        for (const x of tensors.values()) x.dispose();
        return () => demand(tensors.size <= 2);
      },
    },
    tokenizer: {
      files: tokenizers.map((tokenizer) => encode(JSON.stringify(tokenizer))),
      read: (file) => {
        const tokenizer = tokenizerFromJson(new TextDecoder().decode(file));
        return () => {
          const json = JSON.parse(JSON.stringify(tokenizer)) as TokenizerJson;
          const again = tokenizerFromJson(json);
          const tokens = Array.from({ length: tokenizer.vocabularySize }, (_, i) => i);
          demand(again.decode(tokens) === tokenizer.decode(tokens));
        };
      },
    },
    wav: {
      files: [
        wavFile({ bits: 24 }, [[0, 0.5, -0.5]]),
        wavFile({ code: 3, bits: 32, extensible: true }, [
          [0, 1],
          [1, -1],
        ]),
      ],
      read: (file) => {
        const { channels } = readWav(file);
        const samples = channels.reduce((sum, { length }) => sum + length, 0);
        return () => demand(samples <= file.length);
      },
    },
    tar: {
      files: [joined(...["a", "folder/b"].map((name, i) => tarred(name, i)), new Uint8Array(1024))],
      read: (file) => {
        const files = readTar("readTar", file);
        return () => demand([...files.values()].every(({ length }) => length < file.length));
      },
    },
    checkpoint: {
      files: [checkpoint],
      framing: headed,
      read: (file) => {
        const { step } = loadCheckpoint(parts, file);
        return () => demand(Number.isSafeInteger(step) && step >= 0);
      },
    },
  };
}

/** A file of an archive, as tar writes it, with some content. */
export function tarred(name: string, content: Uint8Array | number = 0, type = "0"): Bytes {
  const bytes = typeof content === "number" ? new Uint8Array(20).fill(content) : content;
  const header = new Uint8Array(512);
  const put = (at: number, text: string) => header.set(encode(text), at);
  put(0, name);
  put(100, "0000644\0");
  put(124, `${bytes.length.toString(8).padStart(11, "0")}\0`);
  put(136, "00000000000\0");
  put(148, "        ");
  put(156, type);
  put(257, "ustar\0");
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return joined(header, Uint8Array.from(bytes), new Uint8Array((512 - (bytes.length % 512)) % 512));
}

function demand(isRight: boolean): void {
  if (!isRight) throw new Error("what was read cannot be right");
}

const same = (a: Bytes, b: Bytes) => a.length === b.length && a.every((x, i) => x === b[i]);

/** What became of many damaged files of one format. */
export interface Outcome {
  /** How many could still be read. */
  readonly read: number;
  readonly refused: number;
  /** The longest that one took, in milliseconds, and its number. */
  readonly slowest: { readonly number: number; readonly milliseconds: number };
}

/**
 * Reads damaged files of a format, numbered from `first`.
 * @throws Error with seed and number for one that is answered by anything but a short `GradusError`.
 */
export async function fuzz(
  name: string,
  format: Format,
  seed: number,
  count: number,
  first = 0,
): Promise<Outcome> {
  const outcome = { read: 0, refused: 0, slowest: { number: -1, milliseconds: 0 } };
  for (let number = first; number < first + count; number++) {
    const { files, framing } = format;
    const file = mutate(files[number % files.length], seed, number, framing);
    const start = performance.now();
    const fault = await faultOf(async () => format.read(file, number));
    const milliseconds = performance.now() - start;
    if (milliseconds > outcome.slowest.milliseconds) outcome.slowest = { number, milliseconds };
    if (fault === null) outcome.read++;
    else if (fault === "refused") outcome.refused++;
    else {
      throw new Error(
        `${name}: seed ${seed}, case ${number} of ${file.length} bytes: ${fault}. ` +
          `Repeat it with npm run fuzz -- --format ${name} --seed ${seed} --case ${number}`,
      );
    }
  }
  return outcome;
}

async function faultOf(read: () => Promise<() => void>): Promise<string | null> {
  let check: (() => void) | undefined;
  try {
    check = await read();
    check();
    return null;
  } catch (error) {
    if (check || !(error instanceof GradusError)) return `${(error as Error).stack}`.slice(0, 2000);
    const { length } = encode(error.message);
    if (length > 2000) return `a message of ${length} bytes`;
    return /; expected /s.test(error.message) ? "refused" : `no rule in "${error.message}"`;
  }
}
