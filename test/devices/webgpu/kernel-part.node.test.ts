import { beforeAll, describe, expect, test } from "vitest";
import { programOf } from "../../../bench/growth/index.ts";
import { generate } from "../../../src/devices/webgpu/codegen.ts";
import type { ChooseInProgram } from "../../../src/devices/webgpu/jobs.ts";
import { jobsOf } from "../../../src/devices/webgpu/jobs.ts";
import {
  cutPart,
  isWholePart,
  partBytes,
  partName,
  partWork,
} from "../../../src/devices/webgpu/kernel-part.ts";
import type { EngineDevice } from "../../../src/engine/device.ts";
import { lower } from "../../../src/engine/lower.ts";
import type { Program } from "../../../src/engine/program.ts";
import { scheduleOf } from "../../../src/engine/schedule.ts";
import { simplify } from "../../../src/engine/simplify.ts";
import {
  add,
  argmax,
  cumSum,
  logSoftmax,
  matmul,
  mul,
  Parameter,
  randomNormal,
  sort,
  sum,
  type Tensor,
  take,
  zeros,
} from "../../../src/index.ts";
import { problemName } from "../../../src/kernels/candidates.ts";
import { byRule } from "../../../src/kernels/choose.ts";
import { directProducts, moreTiles } from "../../../src/kernels/matmul.ts";
import { ownDevice, testDevice } from "../../support/device.ts";
import { stepProgram, TRAITS } from "../../support/plan-kernels.ts";
import { dropouts, gpt, heads, perceptron, recurrent } from "../../support/repeated-graphs.ts";

const limits = { maxStorageBuffersPerShaderStage: 10 } as GPUSupportedLimits;
const programs: Program[] = [];
beforeAll(async () => {
  await testDevice();
  await Promise.all([directProducts.get(), moreTiles.get()]);
  const device = (await ownDevice({ device: "cpu" })) as EngineDevice;
  const size = { length: 8, size: 16, words: 16 };
  for (const net of [perceptron(2), recurrent(2, true), gpt(1, size), heads(3), dropouts(2)]) {
    programs.push(await stepProgram(device, net));
  }
  programs.push(
    compiled(() => {
      const x = randomNormal([5, 70], { seed: 1 });
      const best = argmax(x, { axis: 1 });
      return [best, sort(x).values, cumSum(x, { axis: 1 }), logSoftmax(x), take(x, best)];
    }),
  );
});

function compiled(build: () => readonly Tensor[]): Program {
  return simplify(programOf(build));
}

/** The kernels of a program, each by itself, with its part of the program and the name of its problem. */
function kernelsIn(program: Program, kind: keyof typeof TRAITS) {
  const traits = TRAITS[kind];
  const parts: { part: Program; problem: string }[] = [];
  const choose: ChooseInProgram = (family, problem, group, whole) => {
    expect(group && whole).toBeDefined();
    if (group && whole) {
      parts.push({ part: cutPart(whole, group), problem: problemName(family, problem) });
    }
    return byRule(traits)(family, problem);
  };
  const schedule = scheduleOf(lower(program, traits), 10);
  const updated = new Set(program.updates.map(({ source }) => source));
  const hardware = { device: { limits }, traits, choose };
  return jobsOf(schedule, choose).map((job, i) => {
    const homes = job.group.outputs.flatMap((step) => schedule.homes.get(step) ?? []);
    // It writes over a value between kernels, which alone it does not.
    const isReusing = homes.some((home) => !updated.has(home));
    return { ...parts[i], code: generate(schedule, [job]).code, isReusing, hardware };
  });
}

describe.each(Object.keys(TRAITS) as (keyof typeof TRAITS)[])("kernels of kind %s", (kind) => {
  test("are the same alone as in their program", () => {
    let count = 0;
    for (const program of programs) {
      for (const { part, problem, code, isReusing, hardware } of kernelsIn(program, kind)) {
        expect(isWholePart(part, hardware)).toBe(true);
        const [own, ...others] = kernelsIn(part, kind);
        expect(others).toEqual([]);
        expect(own.problem).toBe(problem);
        expect(partName(own.part)).toBe(partName(part));
        if (isReusing) continue;
        expect(own.code).toBe(code);
        count++;
      }
    }
    expect(count).toBeGreaterThan(100);
  });
});

/** The part of a program's only kernel. */
function partOfAll(build: () => readonly Tensor[]): Program {
  const [{ part }, ...others] = kernelsIn(compiled(build), "workgroup");
  expect(others).toEqual([]);
  return part;
}

describe("a part", () => {
  const product = (m: number, scale = 2) => {
    const [x, w, bias] = [[m, 8], [8, 4], [4]].map((shape) => new Parameter(zeros(shape)));
    return partOfAll(() => [mul(add(matmul(x, w), bias), scale)]);
  };

  test("is named by ops and shapes, not by numbers", () => {
    expect(partName(product(16))).toMatch(/^matmul\+add\+mul [0-9a-z]+$/);
    expect(partName(product(16, 3))).toBe(partName(product(16)));
    expect(partName(product(17))).not.toBe(partName(product(16)));
    const row = () => partName(partOfAll(() => [sum(zeros([3, 4]), { axis: 1 })]));
    const column = () => partName(partOfAll(() => [sum(zeros([3, 4]), { axis: 0 })]));
    expect(row()).not.toBe(column());
  });

  test("changes a state in place, and is another one where it does not", () => {
    const w = new Parameter(zeros([3]));
    const changed = partOfAll(() => {
      w.assign(mul(w, 2));
      return [];
    });
    expect(changed.updates.length).toBe(1);
    expect(changed.outputs).toEqual([]);
    expect(partName(changed)).not.toBe(partName(partOfAll(() => [mul(w, 2)])));
  });

  test("is known by its bytes, and by its work", () => {
    expect(partBytes(product(16))).toBe(4 * (16 * 8 + 8 * 4 + 4 + 16 * 4));
    expect(partWork(product(32))).toBeGreaterThan(partWork(product(16)));
  });
});
