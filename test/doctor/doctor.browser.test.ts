import { beforeAll, describe, expect, test } from "vitest";
import { CHECKS } from "../../doctor/checks/index.ts";
import { tryLoop } from "../../doctor/checks/loops.ts";
import { Bench, type Subjects } from "../../doctor/context.ts";
import { runDoctor } from "../../doctor/doctor.ts";
import { LOOPS } from "../../doctor/loops.ts";
import { type Line, parseDoctorReport } from "../../doctor/report.ts";
import { tables } from "../cases/tables.ts";
import { familyCalls, waysOf } from "../support/family-calls.ts";
import { plantedFamily, plantedOp } from "../support/planted-kernel.ts";
import { openDevice } from "../support/raw-kernel.ts";

const here = { platform: "test", cores: 2, version: "0" };

/** Lines of some checks of what is given. */
async function look(only: RegExp, subjects: Partial<Subjects>): Promise<readonly Line[]> {
  const { lines } = await runDoctor({ preset: "quick", only, subjects }, here);
  return lines;
}

const rowsOf = ([{ rows = [] }]: readonly Line[]) =>
  rows.map(({ name, worst = 0 }) => [name, worst > 1]);

describe("the doctor", () => {
  let device: GPUDevice;
  beforeAll(async () => {
    device = await openDevice();
  });

  test("tells a candidate that is wrong from those that are right", async () => {
    const { argmax } = familyCalls;
    const lines = await look(/^Kernels$/, { families: { planted: plantedFamily, argmax } });
    expect(lines).toMatchObject([{ check: "Kernels", verdict: "wrong" }]);
    expect(rowsOf(lines).filter(([name]) => /planted/.test(`${name}`))).toEqual([
      ["planted, planted WORKGROUP 16 FIRST 0", false],
      ["planted, planted WORKGROUP 32 FIRST 0", false],
      ["planted, planted WORKGROUP 64 FIRST 1", true],
    ]);
    expect(
      rowsOf(lines)
        .filter(([name]) => /argmax/.test(`${name}`))
        .every(([, bad]) => !bad),
    ).toBe(true);
  });

  test("tries kernels that are loaded on demand, and those with subgroups", async () => {
    const families = {
      matmul: familyCalls.matmul,
      argmax: familyCalls.argmax,
      sum: familyCalls.sum,
    };
    const only = /^Kernels$/;
    const options = { preset: "quick", only, subjects: { families }, seconds: 0.1 } as const;
    const { lines } = await runDoctor(options, here);
    // Not all are tried, but all are counted.
    const counted = Number(/ of (\d+) right/.exec(lines[0].text)?.[1]);
    expect(counted).toBe(
      Object.values(families).flatMap((call) => waysOf(call, { least: 4, most: 4 })).length,
    );
    expect(counted).toBeGreaterThan(Object.values(families).flatMap((call) => waysOf(call)).length);
    expect(waysOf(families.matmul).length).toBeGreaterThan(20); // with tiles and direct loads
  });

  test("tries the plain kernels of a family in their place", async () => {
    const names = ["plain sum", "plain matmul"];
    const families = Object.fromEntries(names.map((name) => [name, familyCalls[name]]));
    const [{ verdict, rows = [] }] = await look(/^Kernels$/, { families });
    expect(verdict).toBe("ok");
    expect(rows.map(({ name }) => name)).toContain("plain sum, reduce-plain WORKGROUP 16");
    expect(rows.some(({ name }) => /^plain matmul, matmul-plain /.test(name))).toBe(true);
    expect(rows.filter(({ note }) => note)).toEqual([]); // each was taken
  });

  test("tells an op whose gradient is wrong from one that is right", async () => {
    const ops = [["planted", plantedOp] as const, ...tables.filter(([name]) => name === "tanh")];
    const lines = await look(/^Ops$/, { ops });
    expect(lines).toMatchObject([
      {
        verdict: "wrong",
        text: expect.stringMatching(/^1 of 2 right, worst error .* \(planted\)$/),
      },
    ]);
    expect(rowsOf(lines)).toEqual([
      ["planted", true],
      ["tanh", false],
    ]);
  });

  test("finds an op that breaks, and goes on", async () => {
    const [, row] = tables.find(([name]) => name === "tanh") as (typeof tables)[number];
    const run = () => {
      throw new Error("as planned");
    };
    const broken = { ...row, calls: [{ ...row.calls[0], run }] };
    const lines = await look(/^Ops$/, {
      ops: [
        ["broken", broken],
        ["tanh", row],
      ],
    });
    expect(lines[0]).toMatchObject({
      verdict: "wrong",
      text: expect.stringMatching(/^1 of 2 right/),
    });
    expect(lines[0].rows?.[0]).toMatchObject({
      name: "broken",
      note: "wrong: as planned",
    });
  });

  test("knows a loop with another result", async () => {
    const [loop] = LOOPS;
    expect(await tryLoop(device, loop)).toBeNull();
    const planted = { ...loop, body: loop.body.replace("result += k", "result += k + (i / 63u)") };
    const note = expect.stringMatching(/^wrong: invocation 63 gave \d+; expected \d+$/);
    expect(await tryLoop(device, planted)).toMatchObject({ note });
    const broken = { ...loop, body: "let result = nothing;" };
    expect(await tryLoop(device, broken)).toMatchObject({
      note: expect.stringMatching(/^wrong: /),
    });
  });

  test("makes another GPUDevice when one is lost, and says so", async () => {
    const bench = new Bench();
    const first = await bench.gpu();
    expect(await bench.gpu()).toBe(first);
    first.destroy();
    await first.lost;
    await new Promise((resolve) => setTimeout(resolve));
    expect(bench.takeLoss()).not.toBeNull();
    expect(bench.takeLoss()).toBeNull();
    const second = await bench.gpu();
    expect(second).not.toBe(first);
    bench.renew();
    await second.lost;
    expect(bench.takeLoss()).toBeNull();
  });

  test("numbers, loops, loss and memory are right here, and the report outlives JSON", async () => {
    const only = /^(Adapter|Numbers|Loops|Loss of the device|Memory)$/;
    const report = await runDoctor({ preset: "quick", only }, here);
    const wrong = report.lines.filter(({ verdict }) => verdict === "wrong");
    expect(wrong).toEqual([]);
    expect(new Set(report.lines.map(({ check }) => check)).size).toBe(5);
    expect(report.adapter).toMatchObject({ software: true, traits: { workgroupMemory: false } });
    expect(parseDoctorReport(JSON.stringify(report))).toEqual(JSON.parse(JSON.stringify(report)));
  });

  test("finds nothing wrong on a machine that is too slow for any check's time", async () => {
    const seconds = { quick: 1e-6, full: 1e-6 };
    const checks = CHECKS.map((check) => ({ ...check, seconds, isOpen: false }));
    const { lines } = await runDoctor({ preset: "quick", checks }, here);
    expect(lines.filter(({ verdict }) => verdict === "wrong")).toEqual([]);
    expect(new Set(lines.map(({ check }) => check)).size).toBe(CHECKS.length);
  }, 240_000);
});
