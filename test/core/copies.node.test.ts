import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { VERSION } from "../../src/core/copies.ts";
import { add, init, sigmoid, tensor } from "../../src/index.ts";

test("the version is that of the package", () => {
  expect(VERSION).toBe(JSON.parse(readFileSync("package.json", "utf8")).version);
});

test("a second copy of the library is told once, and its tensors are told from others", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  try {
    await init();
    expect(warn).not.toHaveBeenCalled();
    vi.resetModules();
    const copy = await import("../../src/index.ts");
    expect(copy.init).not.toBe(init);
    for (let i = 0; i < 2; i++) await copy.init();
    expect(warn.mock.calls).toEqual([
      [
        `gradus: 2 copies of the library are loaded (${VERSION} and ${VERSION}), and tensors of ` +
          "one do not fit the other; expected one. Let your bundler or import map resolve gradus once",
      ],
    ]);
    const [own, other] = [tensor([[1]]), copy.tensor([[1]])];
    const stranger = `a tensor of another copy of gradus (${VERSION} beside ${VERSION})`;
    expect(() => sigmoid(other as never)).toThrow(
      `sigmoid: input 0 is ${stranger}; expected a tensor. Use tensor(value)`,
    );
    expect(() => add(own, other as never)).toThrow(
      `add: an operand is ${stranger}; expected a tensor or a number`,
    );
  } finally {
    warn.mockRestore();
  }
});
