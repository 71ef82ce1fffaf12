/** What holds for every store that keeps an older generation, wherever it keeps it. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { GradusError } from "../../src/core/errors.ts";
import type { Medium } from "../../src/io/generations.ts";
import { type Store, type StoreOptions, writeSafetensors } from "../../src/io/index.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A kind of store, and a way to its newest content that goes round it. */
export interface StoreKind {
  make(name: string, options?: StoreOptions): Store;
  /** Where a store of that name keeps its content. */
  medium(name: string): Medium;
  damage(name: string, change: (bytes: Bytes) => Bytes): Promise<void>;
}

/** A whole safetensors file that differs for each number. */
export function whole(n: number, size = 1): Bytes {
  const data = new Uint8Array(size).fill(n);
  return writeSafetensors({ x: { dtype: "U8", shape: [size], data } });
}

/** Says it quicker than `toEqual` of large arrays. */
const same = (a: Bytes, b: Bytes) => a.length === b.length && a.every((x, i) => x === b[i]);

const cut = (bytes: Bytes) => bytes.slice(0, -1);
const zeros = (bytes: Bytes) => new Uint8Array(bytes.length);
const none = () => new Uint8Array(0);

let count = 0;
const fresh = () => `store-${++count}`;

export function testStore(op: string, { make, medium, damage }: StoreKind): void {
  describe(op, () => {
    afterEach(() => {
      vi.restoreAllMocks();
    });
    const warnings = () => vi.spyOn(console, "warn").mockImplementation(() => {});

    test("gives what was written last, to each store of its name and no other", async () => {
      const [one, other] = [fresh(), fresh()];
      const store = make(one);
      expect(await store.read()).toBeNull();
      await store.write(Uint8Array.of(1, 2, 3));
      expect(await store.read()).toEqual(Uint8Array.of(1, 2, 3));
      await store.write(Uint8Array.of(4));
      expect(await make(one).read()).toEqual(Uint8Array.of(4));
      expect(await make(other).read()).toBeNull();
      await store.write(new Uint8Array(0)); // as if nothing had been written
      expect(await store.read()).toBeNull();
      const part = Uint8Array.of(9, 5, 6, 9).subarray(1, 3);
      await store.write(part);
      expect(await store.read()).toEqual(Uint8Array.of(5, 6));
    });

    test("writes at once follow one another, and readers find one of them, whole", async () => {
      const name = fresh();
      const [a, b] = [make(name), make(name)];
      const sent = Array.from({ length: 8 }, (_, i) => whole(i, 100_000 + i));
      const writes = sent.map((bytes) => a.write(bytes));
      const others = sent.slice(0, 3).map((bytes) => b.write(bytes));
      let isOver = false;
      const reading = (async () => {
        while (!isOver) {
          const found = await make(name).read();
          if (found) expect(same(found, sent[found.at(-1) as number])).toBe(true);
        }
      })();
      await Promise.all([...writes, ...others]);
      isOver = true;
      await reading;
      await a.write(sent[0]);
      const last = [1, 2, 3].map((i) => a.write(sent[i]));
      await last[2];
      expect(await b.read()).toEqual(sent[3]);
      await Promise.all([a.write(whole(4, 3_000_000)), b.write(whole(5))]);
      expect(await a.read()).toEqual(whole(5));
    });

    test("a first write takes no other's place that came before it", async () => {
      const name = fresh();
      expect(await medium(name).write(whole(1), "none")).toBe(true);
      expect(await medium(name).write(whole(2), "none")).toBe(false);
      expect(await medium(name).read("newest")).toEqual(whole(1));
      expect(await medium(name).read("older")).toBeNull();
      await make(name).write(whole(2));
      expect(await medium(name).read("older")).toEqual(whole(1));
    });

    test.each([
      ["cut", cut],
      ["made zeros", zeros],
      ["emptied", none],
    ])("what was written before is read where the newest is %s", async (_, change) => {
      const warn = warnings();
      const name = fresh();
      await make(name).write(whole(1));
      await make(name).write(whole(2));
      expect(await make(name).read()).toEqual(whole(2));
      expect(warn).not.toHaveBeenCalled();
      await damage(name, change);
      expect(await make(name).read()).toEqual(whole(1));
      expect(warn).toHaveBeenCalledOnce();
      expect(warn.mock.calls[0][0]).toMatch(new RegExp(`^${op}: ".*${name}" is broken \\(.*gives`));
    });

    test("what is broken takes nothing's place", async () => {
      const warn = warnings();
      const name = fresh();
      await make(name).write(whole(1));
      await make(name).write(whole(2));
      await damage(name, zeros);
      await make(name).write(whole(3));
      await damage(name, cut);
      expect(await make(name).read()).toEqual(whole(1));
      const store = make(name);
      await store.write(whole(4));
      await store.write(whole(5));
      await damage(name, cut);
      expect(await store.read()).toEqual(whole(4));
      expect(warn).toHaveBeenCalledTimes(2);
    });

    test("where neither generation is whole, the newest is given for its reader to judge", async () => {
      const name = fresh();
      await make(name).write(whole(1));
      await damage(name, cut);
      expect(await make(name).read()).toEqual(cut(whole(1)));
      await damage(name, none);
      expect(await make(name).read()).toBeNull();
    });

    test("content of other formats is never taken for a broken file", async () => {
      const warn = warnings();
      const name = fresh();
      for (const n of [1, 2]) await make(name).write(whole(n));
      await make(name).write(Uint8Array.of(7));
      expect(await make(name).read()).toEqual(Uint8Array.of(7));
      await make(name).write(Uint8Array.of(8));
      await damage(name, () => Uint8Array.of(9));
      expect(await make(name).read()).toEqual(Uint8Array.of(9));
      expect(warn).not.toHaveBeenCalled();
    });

    test("a check of one's own says what is broken", async () => {
      const warn = warnings();
      const name = fresh();
      const check = (bytes: Bytes) => {
        if (bytes[0] !== 7) throw new Error("no seven");
      };
      await make(name, { check }).write(Uint8Array.of(7, 1));
      await make(name, { check }).write(Uint8Array.of(7, 2));
      await damage(name, () => Uint8Array.of(6));
      expect(await make(name, { check }).read()).toEqual(Uint8Array.of(7, 1));
      expect(warn.mock.calls[0][0]).toContain("no seven");
      await make(name, { check: () => {} }).write(new Uint8Array(0));
      expect(await make(name, { check: () => {} }).read()).toBeNull();
    });

    test("a write that fails is told, and the next goes on", async () => {
      const store = make(fresh());
      const failed = store.write("text" as never);
      const next = store.write(whole(2));
      await expect(failed).rejects.toThrow(`${op}: input of type string; expected Uint8Array`);
      await expect(failed).rejects.toThrow(GradusError);
      await next;
      expect(await store.read()).toEqual(whole(2));
    });

    test("other names and options are rejected", () => {
      for (const name of ["", 3, null, undefined] as string[]) {
        expect(() => make(name)).toThrow(new RegExp(`^${op}: (path|name) .*; expected`));
        expect(() => make(name)).toThrow(GradusError);
      }
      expect(() => make("a", { chek: () => {} } as never)).toThrow(`${op}: unknown option "chek"`);
      expect(() => make("a", { check: 3 as never })).toThrow(`${op}: check 3; expected a function`);
    });
  });
}
