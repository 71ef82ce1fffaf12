import { beforeAll, describe, expect, test, vi } from "vitest";
import { ImageDataset, pictureFiles } from "../../src/pictures/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(async () => {
  await testDevice();
});

/** A PNG file whose pixel (row, column) is [seed, 10 · row, 20 · column]. */
async function png(seed: number, height = 4, width = 4): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
  const picture = pen.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    picture.data.set([seed, 10 * Math.floor(i / width), 20 * (i % width), 255], 4 * i);
  }
  pen.putImageData(picture, 0, 0);
  return canvas.convertToBlob();
}

async function inputFile(path: string, seed: number): Promise<File> {
  const file = new File([await png(seed)], path.split("/").at(-1) as string);
  return Object.defineProperty(file, "webkitRelativePath", { value: path });
}

const names = (files: readonly { name?: string; label: unknown }[]) =>
  files.map(({ name, label }) => `${name} ${label}`);

describe("pictureFiles", () => {
  test("lists the files of an input", async () => {
    const files = await Promise.all([
      inputFile("pets/dogs/a.png", 2),
      inputFile("pets/cats/b.png", 1),
      inputFile("pets/c.png", 9),
      inputFile("pets/cats/notes.txt", 9),
    ]);
    expect(names(await pictureFiles(files))).toEqual(["cats/b.png cats", "dogs/a.png dogs"]);
  });

  test("lists an opened folder, whose files are read when they are asked for", async () => {
    const root = await navigator.storage.getDirectory();
    const pets = await root.getDirectoryHandle("pets", { create: true });
    for (const [i, name] of ["dogs", "cats"].entries()) {
      const folder = await pets.getDirectoryHandle(name, { create: true });
      const file = await folder.getFileHandle("1.png", { create: true });
      const writable = await file.createWritable();
      await writable.write(await png(10 * (i + 1)));
      await writable.close();
    }
    const files = await pictureFiles(pets);
    expect(names(files)).toEqual(["cats/1.png cats", "dogs/1.png dogs"]);
    using data = new ImageDataset(files, { size: 4 });
    using batch = await data.batch([0, 1]);
    const values = await batch.images.data();
    expect([values[0], values[48]].map((x) => Math.round(255 * x))).toEqual([20, 10]);
    await root.removeEntry("pets", { recursive: true });
  });

  test("lists what was dropped: class folders, or a folder of these", async () => {
    const file = (name: string) => {
      const blob = png(7);
      const get = (done: (file: Blob) => void) => void blob.then(done);
      return { isFile: true, name, file: get };
    };
    const folder = (name: string, parts: object[]) => {
      const createReader = () => {
        const rest = [parts.slice(0, 1), parts.slice(1), []];
        return { readEntries: (done: (some: object[]) => void) => done(rest.shift() ?? []) };
      };
      return { isFile: false, name, createReader };
    };
    const drop = (...entries: object[]) =>
      ({ items: entries.map((entry) => ({ webkitGetAsEntry: () => entry })) }) as never;
    const cats = folder("cats", [file("1.png"), file("2.png")]);
    const dogs = folder("dogs", [file("1.png")]);
    const expected = ["cats/1.png cats", "cats/2.png cats", "dogs/1.png dogs"];
    expect(names(await pictureFiles(drop(dogs, cats)))).toEqual(expected);
    const files = await pictureFiles(drop(folder("pets", [cats, dogs])));
    expect(names(files)).toEqual(expected);
    expect(names(await pictureFiles(drop(cats)))).toEqual(expected.slice(0, 2));
    using data = new ImageDataset(files, { size: 4 });
    using batch = await data.batch([2]);
    expect(Math.round(255 * (await batch.images.data())[0])).toBe(7);
  });

  test("a path is refused in a page", async () => {
    await expect(pictureFiles("pets")).rejects.toThrow(
      'pictureFiles: the path "pets" in a page; expected a directory handle or files',
    );
  });
});

describe("ImageDataset", () => {
  const decoded = async (fit: "cover" | "contain" | "fill", size: number | [number, number]) => {
    const files = [{ label: 0, source: await png(100, 4, 8) }];
    using data = new ImageDataset(files, { size, fit });
    using batch = await data.batch([0]);
    return ((await batch.images.toArray()) as number[][][][])[0].map((plane) =>
      plane.map((row) => row.map((x) => Math.round(255 * x))),
    );
  };

  test("keeps pixels where the size is the picture's, or a cut or border makes it so", async () => {
    const rows = [0, 10, 20, 30];
    const whole = await decoded("cover", [4, 8]);
    expect(whole[1]).toEqual(rows.map((y) => Array(8).fill(y)));
    const cut = await decoded("cover", 4);
    expect(cut[2][0]).toEqual([40, 60, 80, 100]); // the columns in the middle
    expect(cut[1]).toEqual(rows.map((y) => Array(4).fill(y)));
    const bars = await decoded("contain", 8);
    expect(bars[0].map(([x]) => x)).toEqual([0, 0, 100, 100, 100, 100, 0, 0]);
    expect(bars[1].slice(2, 6)).toEqual(whole[1]);
  });

  test("resizes what has another size", async () => {
    const small = await decoded("fill", [2, 2]);
    expect(small[0].flat()).toEqual([100, 100, 100, 100]);
    expect(small[2][0][0]).toBeGreaterThan(10);
    expect(small[2][0][0]).toBeLessThan(50);
    expect(small[2][0][1]).toBeGreaterThan(90);
  });

  test("decodes in workers, and in the page where it may have none", async () => {
    const files = await Promise.all(
      [5, 6, 7].map(async (i) => ({ label: i, source: await png(i) })),
    );
    const values = async () => {
      using data = new ImageDataset(files, { size: 4 });
      using batch = await data.batch([0, 1, 2]);
      return [...(await batch.images.data())];
    };
    const drawn = vi.spyOn(globalThis, "createImageBitmap");
    const inWorkers = await values();
    expect(drawn).not.toHaveBeenCalled();
    const script = URL.createObjectURL(new Blob(["throw 1"], { type: "text/javascript" }));
    for (const broken of [null, script]) {
      const create = vi.spyOn(URL, "createObjectURL").mockImplementation(() => {
        if (broken) return broken;
        throw new Error("refused");
      });
      expect(await values()).toEqual(inWorkers);
      expect(drawn).toHaveBeenCalledTimes(6);
      drawn.mockClear();
      create.mockRestore();
    }
    drawn.mockRestore();
  });

  test("names the picture that cannot be decoded, or had", async () => {
    const whole = await png(1);
    const source = whole.slice(0, 40);
    using data = new ImageDataset([{ name: "cut.png", label: 0, source }], { size: 4 });
    await expect(data.batch([0])).rejects.toThrow(
      /^ImageDataset\.batch: "cut\.png" \(.+\); expected a picture that can be decoded$/,
    );
    const address = URL.createObjectURL(whole);
    using good = new ImageDataset([{ label: 0, source: address }], { size: 4 });
    expect((await good.batch([0])).images.shape).toEqual([1, 3, 4, 4]);
    URL.revokeObjectURL(address);
    await expect(good.batch([0])).rejects.toThrow(
      /^ImageDataset\.batch: "blob:.+" \(.+\); expected a picture that can be read$/,
    );
    const missing = new URL("/no/such.png", location.href);
    using none = new ImageDataset([{ label: 0, source: missing }], { size: 4 });
    await expect(none.batch([0])).rejects.toThrow(/^ImageDataset\.batch: "http/);
  });
});
