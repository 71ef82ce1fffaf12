import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { encode } from "fast-png";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DataLoader } from "../../src/data/index.ts";
import { GradusError } from "../../src/index.ts";
import { ImageDataset, type ImageDatasetOptions, pictureFiles } from "../../src/pictures/index.ts";
import { testDevice } from "../support/device.ts";

/** Pixel (row, column) of a picture has these channels. */
const pixel = (seed: number, row: number, column: number) => [seed, 10 * row, 20 * column];

function png(seed: number, height = 4, width = 4): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(height * width * 3);
  for (let i = 0; i < height * width; i++) {
    data.set(pixel(seed, Math.floor(i / width), i % width), 3 * i);
  }
  return Uint8Array.from(encode({ width, height, data, channels: 3, depth: 8 }));
}

const file = (seed: number, label: string | number) => {
  return { label, source: new Blob([png(seed)]) };
};

let folder: string;
beforeAll(async () => {
  await testDevice();
  folder = await mkdtemp(join(tmpdir(), "pictures-"));
  const put = async (path: string, bytes: Uint8Array | string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  };
  await put("pets/dogs/b.png", png(3));
  await put("pets/dogs/a.PNG", png(2));
  await put("pets/dogs/old/c.png", png(4));
  await put("pets/cats/z.png", png(1));
  await put("pets/cats/notes.txt", "no picture");
  await put("pets/cats/.hidden.png", png(9));
  await put("pets/beside.png", png(9));
  await put("bad/cats/broken.png", png(1).subarray(0, 60));
  await put("empty/readme.md", "");
  await put("linked/cats/1.png", png(1));
  await symlink("../../pets/dogs", join(folder, "linked/cats/more"));
  await symlink("/no/such.png", join(folder, "linked/cats/gone.png"));
  await symlink("own.png", join(folder, "linked/cats/own.png"));
  await symlink("..", join(folder, "linked/cats/up"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("pictureFiles", () => {
  test("lists what lies in class folders, in order", async () => {
    const files = await pictureFiles(join(folder, "pets"));
    expect(files.map(({ name, label }) => [name, label])).toEqual([
      ["cats/z.png", "cats"],
      ["dogs/a.PNG", "dogs"],
      ["dogs/b.png", "dogs"],
      ["dogs/old/c.png", "dogs"],
    ]);
  });

  test("takes the address of a folder", async () => {
    const place = join(folder, "pets");
    const files = await pictureFiles(place);
    const names = files.map(({ name }) => name);
    expect((await pictureFiles(pathToFileURL(place))).map(({ name }) => name)).toEqual(names);
    await expect(pictureFiles(new URL("https://a.test/pets"))).rejects.toThrow(
      'pictureFiles: "https://a.test/pets"; expected the path or file: URL of a folder',
    );
  });

  test("follows links, but for those that lead nowhere or back", async () => {
    const files = await pictureFiles(join(folder, "linked"));
    expect(files.map(({ name }) => name)).toEqual([
      "cats/1.png",
      "cats/more/a.PNG",
      "cats/more/b.png",
      "cats/more/old/c.png",
    ]);
  });

  test.each<[string, unknown, string | RegExp]>([
    [
      "a folder that is not there",
      "/no/such",
      /^pictureFiles: "\/no\/such" cannot be read \(ENOENT.+; expected a folder$/,
    ],
    [
      "a number",
      7,
      "pictureFiles: 7; expected a directory handle, the files of an input with webkitdirectory, " +
        "a drop's dataTransfer, or a path in Node",
    ],
    [
      "no files",
      [],
      "pictureFiles: no picture in a class folder; expected files such as cats/1.png and dogs/1.png",
    ],
  ])("%s is refused", async (_, given, message) => {
    const listed = pictureFiles(given as string);
    await expect(listed).rejects.toThrow(GradusError);
    await expect(listed).rejects.toThrow(message);
  });

  test("a folder without pictures is refused, and more than a folder", async () => {
    const none = "pictureFiles: no picture in a class folder";
    await expect(pictureFiles(join(folder, "empty"))).rejects.toThrow(none);
    await expect(pictureFiles("a", ...([1] as never[]))).rejects.toThrow(
      "pictureFiles: 1 too much; expected pictureFiles(folder)",
    );
  });
});

describe("ImageDataset", () => {
  test("gives pictures of the size as they are, in either layout", async () => {
    const files = await pictureFiles(join(folder, "pets"));
    using data = new ImageDataset(files, { size: 4 });
    expect([data.size, data.classes, [...data.labels]]).toEqual([
      4,
      ["cats", "dogs"],
      [0, 1, 1, 1],
    ]);
    using batch = await data.batch([3, 0]);
    expect(batch.images.shape).toEqual([2, 3, 4, 4]);
    expect(await batch.labels.toArray()).toEqual([1, 0]);
    const values = await batch.images.data();
    for (let i = 0; i < values.length; i++) {
      const [row, column] = [Math.floor(i / 4) % 4, i % 4];
      const channels = pixel(i < 48 ? 4 : 1, row, column);
      expect(values[i]).toBeCloseTo(channels[Math.floor(i / 16) % 3] / 255, 6);
    }
    const normalize = { mean: 0.5, std: 0.25 };
    using wide = new ImageDataset(files, { size: [4, 4], layout: "HWC", normalize });
    using other = await wide.batch(Uint32Array.of(1));
    const rows = (await other.images.toArray()) as number[][][][];
    expect(other.images.shape).toEqual([1, 4, 4, 3]);
    expect(rows[0][2][3][2]).toBeCloseTo((60 / 255 - 0.5) / 0.25, 5);
  });

  test("reads files by their paths and addresses", async () => {
    const path = join(folder, "pets/cats/z.png");
    const url = pathToFileURL(path);
    const sources = [path, url, url.href, relative(process.cwd(), path)];
    using data = new ImageDataset(
      sources.map((source) => ({ label: 0, source })),
      { size: 4 },
    );
    const { images } = await data.batch([0, 1, 2, 3]);
    const values = [...(await images.data())];
    expect(values[0]).toBeCloseTo(1 / 255, 6);
    for (const i of [1, 2, 3])
      expect(values.slice(48 * i, 48 * i + 48)).toEqual(values.slice(0, 48));
    using gone = new ImageDataset([{ label: 0, source: "/no/such.png" }], { size: 4 });
    await expect(gone.batch([0])).rejects.toThrow(
      'ImageDataset.batch: "/no/such.png" (no such file); expected a picture that can be read',
    );
  });

  test("gives brightness and alpha", async () => {
    using grey = new ImageDataset([file(200, 0)], { size: 4, channels: 1 });
    const { images } = await grey.batch([0]);
    expect(images.shape).toEqual([1, 1, 4, 4]);
    const [r, g, b] = pixel(200, 3, 2);
    const luma = Math.floor((19595 * r + 38470 * g + 7471 * b + 0x8000) / 0x10000);
    expect((await images.data())[14]).toBeCloseTo(luma / 255, 6);
    using alpha = new ImageDataset([file(200, 0)], { size: 4, channels: 4 });
    const values = await (await alpha.batch([0])).images.data();
    expect(new Set(values.slice(48))).toEqual(new Set([1]));
  });

  test("fits pictures of other shapes", async () => {
    // 4 rows of 8: the left half is dark, the right half bright.
    const data = Uint8Array.from({ length: 4 * 8 * 3 }, (_, i) => {
      return Math.floor(i / 3) % 8 < 4 ? 0 : 240;
    });
    const bytes = Uint8Array.from(encode({ width: 8, height: 4, data, channels: 3, depth: 8 }));
    const files = [{ label: "wide", source: new Blob([bytes]) }];
    const of = async (fit: ImageDatasetOptions["fit"]) => {
      using set = new ImageDataset(files, { size: 4, channels: 1, fit });
      using batch = await set.batch([0]);
      return ((await batch.images.toArray()) as number[][][][])[0][0];
    };
    const cover = await of("cover");
    expect(cover[1].map((x) => x > 0.5)).toEqual([false, false, true, true]); // the middle
    const contain = await of("contain");
    expect([contain[0], contain[3]]).toEqual([Array(4).fill(0), Array(4).fill(0)]); // bars
    expect(contain[1][3]).toBeGreaterThan(0.8);
    const fill = await of("fill");
    expect(fill[0][0]).toBeLessThan(0.1);
    expect(fill[0][3]).toBeGreaterThan(0.8);
  });

  test("loads all onto the device as bytes, and tells how far it is", async () => {
    const files = Array.from({ length: 70 }, (_, i) => file(i, i % 3));
    using data = new ImageDataset(files, { size: 4 });
    const told: number[] = [];
    using loaded = await data.load({ onProgress: (done) => told.push(done) });
    expect(told).toEqual([64, 70]);
    expect([loaded.images.shape, loaded.images.dtype]).toEqual([[70, 3, 4, 4], "u8"]);
    using one = loaded.batch([69]);
    using same = await data.batch([69]);
    expect(await one.images.data()).toEqual(await same.images.data());
    expect(await one.labels.toArray()).toEqual(await same.labels.toArray());
  });

  test("is loaded in batches, ahead of its use", async () => {
    using data = new ImageDataset(
      [0, 1, 2, 3, 4].map((i) => file(10 * i, i)),
      { size: 4 },
    );
    const loader = new DataLoader({ dataset: data, batchSize: 2, prefetch: 2, shuffle: false });
    const seen: number[] = [];
    for await (const batch of loader) {
      const values = await batch.images.data();
      for (let i = 0; i < batch.size; i++) seen.push(Math.round(255 * values[48 * i]));
      batch.dispose();
    }
    expect(seen).toEqual([0, 10, 20, 30, 40]);
  });

  test("takes classes in an order of one's own, numbers by size, and a decoder", async () => {
    const numbers = new ImageDataset([file(1, 10), file(1, 9)], { size: 4 });
    expect([numbers.classes, [...numbers.labels]]).toEqual([
      ["9", "10"],
      [1, 0],
    ]);
    const files = [file(1, "b"), { label: "a", source: async () => new Blob([png(2)]) }];
    using data = new ImageDataset(files, {
      size: [1, 2],
      classes: ["b", "none", "a"],
      decode: ({ blob, width, height, fit }) => {
        expect([width, height, fit]).toEqual([2, 1, "cover"]);
        return new Uint8Array(8).fill(blob.size > 0 ? 51 : 0);
      },
    });
    expect([...data.labels]).toEqual([0, 2]);
    using batch = await data.batch([1]);
    for (const value of await batch.images.data()) expect(value).toBeCloseTo(0.2, 6);
  });

  test("takes labels that are written alike as one class", () => {
    const data = new ImageDataset([file(1, 1), file(1, "b"), file(1, "1")], { size: 4 });
    expect([data.classes, [...data.labels]]).toEqual([
      ["1", "b"],
      [0, 1, 0],
    ]);
  });

  const make = (options: object, label: unknown = "a", source: unknown = new Blob()) => {
    const given = [{ label, source }] as Parameters<typeof makeFrom>[0];
    return () => makeFrom(given, { size: 4, ...options });
  };
  const makeFrom = (...given: ConstructorParameters<typeof ImageDataset>) =>
    new ImageDataset(...given);

  test.each<[string, () => unknown, string]>([
    [
      "no pictures",
      () => makeFrom([], { size: 4 }),
      "ImageDataset: no pictures; expected files as pictureFiles gives them",
    ],
    [
      "a number of pictures",
      () => makeFrom(7 as never, { size: 4 }),
      "ImageDataset: 7; expected files as pictureFiles gives them",
    ],
    [
      "a size",
      make({ size: 0 }),
      "ImageDataset: size 0 for axes [0, 1]; expected an integer from 1, or one for each",
    ],
    ["channels", make({ channels: 2 }), "ImageDataset: channels 2; expected 1, 3 or 4"],
    ["a fit", make({ fit: "crop" }), "ImageDataset: fit crop; expected cover, contain, fill"],
    [
      "a label",
      make({}, null),
      "ImageDataset: picture 0 has label null; expected a class, a text or number",
    ],
    [
      "NaN as a label",
      make({}, Number.NaN),
      "ImageDataset: picture 0 has label NaN; expected a class, a text or number",
    ],
    [
      "NaN as a class",
      make({ classes: ["a", Number.NaN] }),
      "ImageDataset: classes an array; expected an array of texts and numbers",
    ],
    [
      "a source",
      make({}, 1, 5),
      "ImageDataset: picture 0 has source 5; expected a Blob, a URL or a function",
    ],
    [
      "a label of no class",
      make({ classes: ["b", "c"] }),
      'ImageDataset: picture 0 has label "a"; expected one of b, c',
    ],
    [
      "a class twice",
      make({ classes: ["a", "a"] }),
      "ImageDataset: classes a, a; expected different ones",
    ],
    [
      "an unknown option",
      make({ clases: [] }),
      'ImageDataset: unknown option "clases"; expected size, channels, layout, fit, classes, ' +
        'normalize, device, decode. Did you mean "classes"?',
    ],
  ])("%s is refused", (_, run, message) => {
    expect(run).toThrow(message);
  });

  test("names the file that is no picture, or cannot be had", async () => {
    using bad = new ImageDataset(await pictureFiles(join(folder, "bad")), { size: 4 });
    await expect(bad.batch([0])).rejects.toThrow(
      /^ImageDataset\.batch: "cats\/broken\.png" \(.+\); expected a picture that can be decoded$/s,
    );
    await expect(bad.load()).rejects.toThrow(/^ImageDataset\.load: "cats\/broken\.png" /);
    await expect(bad.batch([1])).rejects.toThrow(
      "ImageDataset.batch: example 1; expected integers from 0 to 0",
    );
    const short = new ImageDataset([file(1, 1)], { size: 2, decode: () => new Uint8Array(3) });
    await expect(short.batch([0])).rejects.toThrow(
      'ImageDataset.batch: decode gives 3 bytes for "picture 0"; expected 16',
    );
    for (const [given, what] of [
      [Array(16).fill(7), "an array"],
      [new Float32Array(16), "a Float32Array"],
      [new Int8Array(16), "an Int8Array"],
      ["a".repeat(16), '"aaaaaaaaaaaaaaaa"'],
      [null, "null"],
    ]) {
      const wrong = new ImageDataset([file(1, 1)], { size: 2, decode: () => given as never });
      await expect(wrong.batch([0])).rejects.toThrow(
        `decode gives ${what} for "picture 0"; expected bytes, as a Uint8Array`,
      );
    }
    const none = new ImageDataset([{ label: 1, source: () => 3 as never }], { size: 2 });
    await expect(none.batch([0])).rejects.toThrow('"picture 0" gives 3; expected a Blob');
  });
});
