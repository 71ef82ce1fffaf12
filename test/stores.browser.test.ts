import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { Batch } from "../src/data/index.ts";
import { download, opfsStore } from "../src/io/index.ts";
import type { Module } from "../src/nn/index.ts";
import { Checkpoint, fit } from "../src/train/index.ts";
import { testDevice } from "./support/device.ts";
import { bitsOf, smallRun } from "./support/small-run.ts";

beforeAll(() => testDevice());

afterEach(async () => {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry("gradus-test", { recursive: true }).catch(() => {});
});

test("the origin's own files are replaced as a whole, in folders that they make", async () => {
  const store = opfsStore("gradus-test/runs/one");
  expect(await store.read()).toBeNull();
  await store.write(Uint8Array.of(1, 2, 3));
  await store.write(Uint8Array.of(4));
  expect(await store.read()).toEqual(Uint8Array.of(4));
  expect(await opfsStore("gradus-test/runs/other").read()).toBeNull();
});

test("a run goes on from the origin's own files", async () => {
  const to = opfsStore("gradus-test/checkpoint");
  const run = async (epochs: number) => {
    const parts = smallRun();
    const callbacks = [new Checkpoint({ to })];
    const { history } = await fit<Module, Batch>({
      ...parts,
      epochs,
      callbacks,
      resume: await to.read(),
    });
    return { bits: await bitsOf(parts), losses: history.map(({ loss }) => loss) };
  };
  await run(1);
  const resumed = await run(2);
  await to.write(new Uint8Array(0)); // as if nothing had been written
  expect(await to.read()).toBeNull();
  expect(await run(2)).toEqual(resumed);
});

test("bytes are offered for download under a name", async () => {
  const clicked = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
    this: HTMLAnchorElement,
  ) {
    expect(this.download).toBe("weights.safetensors");
    expect(this.href).toMatch(/^blob:/);
  });
  download(Uint8Array.of(7), "weights.safetensors");
  expect(clicked).toHaveBeenCalledOnce();
  const [link] = clicked.mock.contexts;
  const response = await fetch((link as HTMLAnchorElement).href);
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(Uint8Array.of(7));
  clicked.mockRestore();
});
