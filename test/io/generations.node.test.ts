import { afterEach, expect, test, vi } from "vitest";
import { type Fate, GenerationStore, type Medium } from "../../src/io/generations.ts";
import { whole } from "../support/store-cases.ts";

type Bytes = Uint8Array<ArrayBuffer>;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Two generations in memory; a write may fail, or wait until it is let through. */
class Memory implements Medium {
  newest: Bytes | null = null;
  older: Bytes | null = null;
  /** What became of the older generation in each write that was begun. */
  readonly fates: Fate[] = [];
  reads = 0;
  gate: Promise<void> = Promise.resolve();
  /** What another process writes when a write begins. */
  others: Bytes | null = null;
  /** What a write leaves behind before it fails; null where it does not fail. */
  leaves: Bytes | null = null;

  constructor(readonly at = "here") {}

  place() {
    return this.at;
  }

  async read(generation: "newest" | "older") {
    this.reads++;
    return this[generation];
  }

  async write(bytes: Bytes, older: Fate) {
    this.fates.push(older);
    await this.gate;
    [this.newest, this.others] = [this.others ?? this.newest, null];
    if (older === "none" && this.newest) return false;
    if (this.leaves) {
      this.newest = this.leaves;
      throw new Error("no room");
    }
    if (older === "replace") this.older = this.newest;
    if (older === "drop") this.older = null;
    this.newest = bytes;
    return true;
  }
}

const storeOf = (memory: Memory, name = "name", options = {}) =>
  new GenerationStore("testStore", name, memory, options);

test("what becomes of the older generation follows from what is whole", async () => {
  const memory = new Memory();
  const store = storeOf(memory);
  await store.write(whole(1)); // nothing was there
  await store.write(whole(2));
  await store.write(Uint8Array.of(1)); // of another format
  await store.write(Uint8Array.of(2));
  await store.write(whole(3)); // in place of what is not whole
  await store.write(whole(4));
  expect(memory.fates).toEqual(["none", "replace", "drop", "drop", "keep", "replace"]);
  expect([memory.newest, memory.older]).toEqual([whole(4), whole(3)]);
});

test("what it wrote itself is not read to be judged, unless the write failed", async () => {
  const memory = new Memory();
  const store = storeOf(memory);
  await store.write(whole(1));
  memory.reads = 0;
  await store.write(whole(2));
  await store.write(whole(3));
  expect(memory.reads).toBe(0);
  memory.leaves = Uint8Array.of(1, 2); // half of a file
  await expect(store.write(whole(4))).rejects.toThrow("no room");
  memory.leaves = null;
  await store.write(whole(5));
  expect(memory.fates.slice(-2)).toEqual(["replace", "keep"]);
  expect([memory.reads, memory.newest, memory.older]).toEqual([1, whole(5), whole(2)]);
});

test("a write waits for those of its name and of its place, and for no others", async () => {
  const [memory, other] = [new Memory(), new Memory("there")];
  let open = () => {};
  memory.gate = new Promise((resolve) => {
    open = resolve;
  });
  const done: string[] = [];
  const write = (store: GenerationStore, n: number, name: string) =>
    store.write(whole(n)).then(() => done.push(name));
  const waiting = [
    write(storeOf(memory), 1, "first"),
    write(storeOf(memory), 2, "same name"),
    write(storeOf(memory, "link to it"), 3, "same place"),
  ];
  await write(storeOf(other, "other"), 4, "other");
  expect([done, memory.fates]).toEqual([["other"], ["none"]]);
  open();
  await Promise.all(waiting);
  expect(done.toSorted()).toEqual(["first", "other", "same name", "same place"]);
  expect(memory.fates).toEqual(["none", "replace", "replace"]);
});

test("what another process writes first meanwhile is judged, and becomes the older generation", async () => {
  for (const [others, fate] of [
    [whole(1), "replace"],
    [Uint8Array.of(1), "keep"],
  ] as const) {
    const memory = new Memory();
    memory.others = others;
    await storeOf(memory).write(whole(2));
    expect(memory.fates).toEqual(["none", fate]);
    expect([memory.newest, memory.older]).toEqual([whole(2), fate === "replace" ? others : null]);
  }
});

test("a warning tells what a check said, be it long or no error", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const faults: [unknown, string][] = [
    ["in words", "in words"],
    [new Error("x".repeat(2000)), `${"x".repeat(299)}…`],
  ];
  for (const [thrown, told] of faults) {
    const memory = new Memory();
    memory.newest = Uint8Array.of(1);
    memory.older = Uint8Array.of(2);
    const check = ([first]: Bytes) => {
      if (first === 1) throw thrown;
    };
    expect(await storeOf(memory, "a name", { check }).read()).toEqual(Uint8Array.of(2));
    expect(warn.mock.lastCall).toEqual([
      `testStore: "a name" is broken (${told}); gives what was written before it`,
    ]);
  }
});

test("a check that is none is told", () => {
  expect(() => storeOf(new Memory(), "a", { check: "header" })).toThrow(
    'testStore: check "header"; expected a function',
  );
});
