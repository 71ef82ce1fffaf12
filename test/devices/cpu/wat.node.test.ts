import { beforeAll, expect, test } from "vitest";
import type wabtTypes from "wabt";
import loadWabt from "wabt";
import { type Batch, BatchSampler, DeviceDataset } from "../../../src/data/index.ts";
import { FunctionWriter, I32, V128 } from "../../../src/devices/cpu/compiled/assembler.ts";
import { assembleModule } from "../../../src/devices/cpu/compiled/module.ts";
import * as simd from "../../../src/devices/cpu/compiled/simd.ts";
import { INSTRUCTIONS_READ, type KnownInstruction } from "../../../src/devices/cpu/wat/opcodes.ts";
import { functionText, moduleText } from "../../../src/devices/cpu/wat/wat.ts";
import { type Device, evaluate, grad, init, matmul, mul, sum, tensor } from "../../../src/index.ts";
import { crossEntropy } from "../../../src/losses/index.ts";
import { Linear, ReLU, Sequential, Sigmoid } from "../../../src/nn/index.ts";
import { Adam, SGD } from "../../../src/optim/index.ts";
import { trainStep } from "../../../src/train/index.ts";
import { tables } from "../../cases/tables.ts";
import { draw, floats, place } from "../../support/op-case.ts";
import { modulesOf } from "../../support/wasm-modules.ts";

type Wabt = Awaited<ReturnType<typeof wabtTypes>>;

let wabt: Wabt;
let device: Device;
beforeAll(async () => {
  wabt = await loadWabt();
  device = (await init({ device: "cpu", engine: "compiled", isolated: true })).device;
});

const FEATURES = { simd: true, relaxed_simd: true, threads: true, bulk_memory: true };

/** What the assembler of the WebAssembly Binary Toolkit makes of a text. */
function assembled(text: string): Uint8Array {
  const module = wabt.parseWat("module.wat", text, FEATURES);
  try {
    return module.toBinary({ canonicalize_lebs: true }).buffer;
  } finally {
    module.destroy();
  }
}

function expectReadBack(modules: readonly Uint8Array[]): void {
  for (const bytes of modules) {
    const text = moduleText(bytes);
    expect(Buffer.compare(assembled(text), bytes), text.slice(0, 2000)).toBe(0);
  }
}

test("modules of every op and its gradient are read back to the same bytes", async () => {
  const modules = await modulesOf(async () => {
    for (const [, { calls, gradient }] of tables) {
      for (const call of calls.slice(0, 1)) {
        const inputs = place(call, draw(call, 1), device, "f32");
        const y = call.run(...inputs);
        const isReal = y.dtype === "f32" && floats(call, inputs).length > 0;
        const all = gradient === true && isReal ? grad(sum(mul(y, y)), floats(call, inputs)) : [];
        evaluate(y, ...all);
      }
    }
  });
  expect(modules.length).toBeGreaterThan(120);
  expectReadBack(modules);
});

test("modules of three nets are read back to the same bytes", async () => {
  const modules = await modulesOf(async () => {
    for (const [sizes, batchSize] of [
      [[784, 50, 10], 100],
      [[20, 12, 7], 25],
      [[4, 8, 3], 20],
    ] as const) {
      const images = tensor(new Uint8Array(200 * sizes[0]), { shape: [200, sizes[0]], device });
      const data = new DeviceDataset(images, tensor(new Uint8Array(200), { device }));
      const sampler = new BatchSampler({ size: 200, batchSize, seed: 1 });
      const [first, last] = [0, 1].map((i) => {
        return new Linear(sizes[i], sizes[i + 1], { seed: i, device });
      });
      const model = new Sequential(first, batchSize > 50 ? new Sigmoid() : new ReLU(), last);
      const Optimizer = batchSize === 25 ? Adam : SGD;
      const step = trainStep({
        model,
        optimizer: new Optimizer(model.parameters(), { learningRate: 0.1 }),
        loss: (net, batch: Batch) => crossEntropy(net.call(batch.images), batch.labels),
        batchAt: (counter) => data.batchAt(counter, sampler),
      });
      await step();
    }
  });
  expect(modules.length).toBeGreaterThanOrEqual(3);
  expectReadBack(modules);
});

test("modules whose memory threads share are read back to the same bytes", async () => {
  const threads = { device: "cpu", engine: "compiled", isolated: true, threads: 2 } as const;
  const { device: shared } = await init(threads);
  const modules = await modulesOf(async () => {
    const x = tensor(new Float32Array(256 * 256), { shape: [256, 256], device: shared });
    await matmul(x, x).data();
  });
  shared.dispose();
  expect(modules.map((bytes) => moduleText(bytes).includes("(memory 0 65536 shared)"))).toEqual([
    true,
  ]);
  expectReadBack(modules);
});

/** A number below 2¹⁴ as WebAssembly writes it. */
function lowSeven(code: number): number[] {
  return code < 128 ? [code] : [(code & 127) | 128, code >> 7];
}

/** What stands behind instructions, whatever it is. */
const BEHIND = {
  none: [],
  memory: [0, 5],
  "memory and lane": [0, 5, 1],
  lane: [1],
  lanes: Array.from({ length: 16 }, (_, i) => i),
  vector: Array.from({ length: 16 }, (_, i) => 3 * i),
  zeros: [0],
};

/** Each instruction of WebAssembly, its bytes with something behind it, and how often. */
function eachInstruction(use: (known: KnownInstruction, bytes: readonly number[]) => void): number {
  let count = 0;
  for (const [prefix, table] of INSTRUCTIONS_READ) {
    for (const [code, known] of table) {
      const behind: number[] = [...BEHIND[known.immediate]];
      if (known.name === "memory.copy") behind.push(0);
      // An atomic access has its natural alignment.
      if (prefix === 0xfe && known.immediate === "memory") behind[0] = Math.log2(known.bytes);
      use(known, [...(prefix ? [prefix, ...lowSeven(code)] : [code]), ...behind]);
      count++;
    }
  }
  return count;
}

test("every instruction of WebAssembly is called as its assembler calls it", () => {
  const count = eachInstruction(({ name }, instruction) => {
    const bytes = assembleModule([], [new FunctionWriter().emit(...instruction)], []);
    const text = moduleText(bytes);
    expect([...assembled(text)], `${name}\n${text}`).toEqual([...bytes]);
  });
  expect(count).toBeGreaterThan(480);
  for (const [name, code] of Object.entries(simd)) {
    expect(INSTRUCTIONS_READ.get(0xfd)?.get(code)?.name).toBe(name.replace("_", "."));
  }
});

/** A value of each type on the stack. */
const VALUES = [
  [0x41, 0],
  [0x42, 0],
  [0x43, 0, 0, 0, 0],
  [0x44, 0, 0, 0, 0, 0, 0, 0, 0],
  [0xfd, 12, ...new Array<number>(16).fill(0)],
];

test("every instruction of WebAssembly takes so many operands, and gives a value or none", () => {
  // Without relaxed vectors, which not every engine of Node has.
  const known = (name: string) => !name.includes("relaxed");
  const wrong: string[] = [];
  eachInstruction(({ name, takes, gives }, instruction) => {
    const isRight = (operands: readonly number[]) => {
      const f = new FunctionWriter();
      for (const i of operands) f.emit(...VALUES[i]);
      f.emit(...instruction, ...(gives ? [0x1a] : []));
      return WebAssembly.validate(assembleModule([], [f], []));
    };
    const all = Array.from({ length: 5 ** takes }, (_, i) =>
      Array.from({ length: takes }, (_, k) => Math.floor(i / 5 ** k) % 5),
    );
    if (known(name) && !all.some(isRight)) wrong.push(name);
  });
  expect(wrong).toEqual([]);
});

test("what an instruction takes stands in its brackets, and constants as it reads them", () => {
  const f = new FunctionWriter([I32, V128], [V128]);
  const sum = f.local(V128);
  const ones = new Uint8Array(Float32Array.of(1, -0, 1e-40, Infinity).buffer);
  const words = new Uint8Array(Int32Array.of(1, -2, 3, 4).buffer);
  f.get(0).vectorMemory(0x00, 2, 16);
  f.simd(simd.v128_const, ...ones)
    .simd(simd.f32x4_mul)
    .set(sum);
  f.repeat(() => {
    f.get(1)
      .simd(simd.v128_const, ...words)
      .simd(simd.i32x4_add)
      .set(1);
    f.get(0).i32(-4).emit(0x6a).tee(0);
  });
  f.get(0).when(() => f.get(0).set(0));
  f.get(1).get(sum).get(sum).set(sum).simd(simd.f32x4_add);
  const bytes = assembleModule([], [f], [["run", 0]]);
  expectReadBack([bytes]);
  expect(functionText(bytes, 0)).toBe(
    `(func $f0 (type 0)
  (param $p0 i32) (param $p1 v128)
  (result v128)
  (local $v2 v128)
  (local.set $v2
    (f32x4.mul (v128.load offset=16 align=4 (local.get $p0)) (v128.const f32x4 1 -0 1e-40 inf)))
  (loop
    (local.set $p1 (i32x4.add (local.get $p1) (v128.const i32x4 1 -2 3 4)))
    (br_if 0 (local.tee $p0 (i32.add (local.get $p0) (i32.const -4)))))
  (if
    (local.get $p0)
    (then
      (local.set $p0 (local.get $p0))))
  (local.get $p1)
  (local.get $v2)
  (local.set $v2 (local.get $v2))
  (f32x4.add))`,
  );
});

test("what is not known is refused", () => {
  const unknown = new FunctionWriter().emit(0x27);
  const further = new FunctionWriter().emit(0xfd, ...lowSeven(0x9a));
  const says = (f: FunctionWriter) => () => moduleText(assembleModule([], [f], []));
  expect(says(unknown)).toThrow("wat: instruction 0x27; expected what");
  expect(says(further)).toThrow("wat: instruction 0xfd 0x9a; expected what");
  const global = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 6, 1, 0);
  expect(() => moduleText(global)).toThrow("wat: section 6; expected what");
});
