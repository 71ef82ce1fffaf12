import { beforeAll, describe, expect, test, vi } from "vitest";
import { type Check, NotThere } from "../../doctor/context.ts";
import { runDoctor, secondsOf } from "../../doctor/doctor.ts";
import { INPUT, INVOCATIONS, LOOPS, loopCode } from "../../doctor/loops.ts";
import { Printer } from "../../doctor/printer.ts";
import {
  compareReports,
  type DoctorReport,
  doctorFileName,
  type Line,
  parseDoctorReport,
  summaryOf,
} from "../../doctor/report.ts";
import { agrees } from "../support/special-values.ts";

beforeAll(() => {
  vi.stubGlobal("navigator", { gpu: { requestAdapter: async () => null } });
});

const here = { platform: "test", cores: 2, version: "1.2.3" };

/** A check that needs no WebGPU. */
function check(name: string, run: Check["run"], seconds = 1): Check {
  return { name, isFree: true, seconds: { quick: seconds, full: seconds }, run };
}

const fine = (name: string) =>
  check(name, async (context) => context.line({ name: "a", verdict: "ok", text: "right" }));

const told = (lines: readonly Line[]) => lines.map(({ check, verdict }) => `${check} ${verdict}`);

describe("a run", () => {
  test("goes on when a check breaks, is not there, needs WebGPU, or hangs", async () => {
    const checks = [
      check("broken", async () => {
        throw new Error("as planned\nwith a second line");
      }),
      check("absent", async () => {
        throw new NotThere("no such thing");
      }),
      { ...fine("gpu"), isFree: false },
      check("hanging", () => new Promise(() => {})),
      fine("last"),
    ];
    const shares: number[] = [];
    const listener = { progress: (_: string, share: number) => void shares.push(share) };
    const report = await runDoctor({ preset: "quick", checks, patience: 0.005 }, here, listener);
    expect(told(report.lines)).toEqual([
      "broken wrong",
      "absent not there",
      "gpu not there",
      "hanging wrong",
      "last ok",
    ]);
    expect(report.lines[0].text).toBe("as planned with a second line");
    expect(report.lines[2].text).toBe("no WebGPU: the browser gives no adapter");
    expect(report.lines[3].text).toMatch(/^no answer in /);
    expect(report).toMatchObject({ adapter: null, stopped: false, preset: "quick" });
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
  });

  test("is stopped between two things, and keeps what was found", async () => {
    const controller = new AbortController();
    let turns = 0;
    const long = check("long", async (context) => {
      while (context.hasTime) {
        turns++;
        context.line({ name: `turn ${turns}`, verdict: "ok", text: "" });
        if (turns === 3) controller.abort();
        await new Promise((resolve) => setTimeout(resolve));
      }
    });
    const { signal } = controller;
    const checks = [long, fine("never")];
    const report = await runDoctor({ preset: "full", checks, signal }, here);
    expect(told(report.lines)).toEqual(["long ok", "long ok", "long ok"]);
    expect(report.stopped).toBe(true);
  });

  test("says nothing more of a check that answers too late", async () => {
    let late = () => {};
    const hanging = check(
      "hanging",
      (context) =>
        new Promise((resolve) => {
          late = () => {
            context.line({ name: "late", verdict: "ok", text: "" });
            resolve();
          };
        }),
    );
    const answers = check("answers", async () => late());
    const options = { preset: "quick", checks: [hanging, answers], patience: 0.005 } as const;
    const { lines } = await runDoctor(options, here);
    expect(told(lines)).toEqual(["hanging wrong"]);
  });

  test("tells of a GPUDevice that was lost on the way", async () => {
    const lost = check("lost", async ({ bench }) => {
      vi.spyOn(bench, "takeLoss").mockReturnValueOnce("taken away");
    });
    const { lines } = await runDoctor({ preset: "quick", checks: [lost, fine("next")] }, here);
    expect(told(lines)).toEqual(["lost wrong", "next ok"]);
    expect(lines[0].text).toBe("the GPUDevice was lost: taken away");
  });

  test("tells all that it has found so far, so that it is kept whatever ends it", async () => {
    const kept: string[][] = [];
    const soFar = (report: DoctorReport) => {
      expect(report).toMatchObject({ format: "gradus-doctor/1", stopped: true, version: "1.2.3" });
      kept.push(told(report.lines));
    };
    const checks = [fine("one"), fine("two")];
    const report = await runDoctor({ preset: "quick", checks }, here, { soFar });
    expect(kept).toEqual([["one ok"], ["one ok", "two ok"]]);
    expect(report.stopped).toBe(false);
  });

  test("makes only the checks that are asked for", async () => {
    const checks = [fine("one"), fine("two")];
    const { lines } = await runDoctor({ preset: "quick", checks, only: /TWO/i }, here);
    expect(told(lines)).toEqual(["two ok"]);
  });
});

test("a quick run gives what is left of its time to checks of open length, by what they should take", () => {
  const open = (seconds: number) => ({ ...check("open", async () => {}, seconds), isOpen: true });
  const rest = [open(4), open(6), check("fixed", async () => {}, 1)];
  expect(secondsOf(rest, "quick", 7)).toBe(4); // 18 − 7 − 1 for both
  expect(secondsOf(rest.slice(1), "quick", 11)).toBe(6);
  expect(secondsOf(rest, "quick", 0)).toBeCloseTo(6.8); // more where the others were quick
  expect(secondsOf(rest, "quick", 60)).toBe(2); // half where there is nothing left
  expect(secondsOf(rest, "full", 7)).toBe(4);
  expect(secondsOf(rest.slice(2), "quick", 7)).toBe(1);
  // What is asked for in all: a tenth of their times for those that are not open.
  expect(secondsOf(rest, "full", 0.5, 1.1, 0.1)).toBeCloseTo(0.2);
  expect(secondsOf(rest, "full", 0.1, 1.1, 0.1)).toBeCloseTo(0.36);
  expect(secondsOf(rest.slice(2), "full", 0.5, 1.1, 0.1)).toBeCloseTo(0.1);
});

const line = (name: string, own: Partial<Line> = {}): Line => {
  return { check: "Costs", name, verdict: "ok", text: "of one", ...own };
};

function report(lines: readonly Line[]): DoctorReport {
  const head = { format: "gradus-doctor/1", date: "2026-11-29T01:02:03Z", stopped: false } as const;
  const adapter = {
    name: "A GPU 9",
    info: {},
    software: false,
    features: [],
    limits: {},
    traits: {},
  };
  return { ...head, ...here, preset: "quick", seconds: 12.34, adapter, lines };
}

const before = report([
  line("a dispatch", { figure: 10, unit: "µs", isLessBetter: true }),
  line("copies", { figure: 100, unit: "GB/s" }),
  line("gone"),
]);
const now = report([
  line("a dispatch", { figure: 5, unit: "µs", isLessBetter: true }),
  line("copies", { figure: 50, unit: "GB/s", verdict: "slow" }),
  line("sum", {
    verdict: "wrong",
    rows: [
      { name: "sum 16", worst: 3.21 },
      { name: "sum 32", worst: 0.5 },
      { name: "sum 64", note: "wrong: no result" },
    ],
  }),
]);

describe("a report", () => {
  test("outlives JSON, and anything else is refused", () => {
    expect(parseDoctorReport(JSON.stringify(now))).toEqual(now);
    expect(() => parseDoctorReport("{")).toThrow("doctor: the file is no JSON");
    expect(() => parseDoctorReport('{"format":"gradus-bench/1","lines":[]}')).toThrow(
      'the file has no format "gradus-doctor/1"',
    );
    expect(() => parseDoctorReport("null")).toThrow("the file has no format");
  });

  test("is compared with another, line by line", () => {
    expect(compareReports(before, now).map(({ name, ratio }) => [name, ratio])).toEqual([
      ["a dispatch", 2],
      ["copies", 0.5],
      ["sum", null],
      ["gone", null],
    ]);
  });

  test("is named and summed up", () => {
    expect(doctorFileName(now)).toBe("doctor-2026-11-29-a-gpu-9-quick.json");
    expect(summaryOf(now)).toBe("3 lines in 12.3 s: 1 ok, 1 slow, 1 wrong.");
  });

  test("is printed with what is wrong, beside an earlier one", () => {
    const printed: string[] = [];
    const printer = new Printer((text) => printed.push(text), before);
    printer.adapter(now.adapter);
    for (const one of now.lines) printer.line(one);
    printer.end(now);
    expect(printed.join("\n")).toBe(`WebGPU adapter: A GPU 9

Costs
  ok        a dispatch: 5.00 µs; of one (2.00 × as good as before)
  slow      copies: 50.0 GB/s; of one (0.500 × as good as before, was ok)
  wrong     sum: of one (not in the earlier report)
              sum 16: 3.21 × what is allowed
              sum 64: wrong: no result
  gone      Costs, gone: was ok

Gradus 1.2.3, quick, test, 2 cores
3 lines in 12.3 s: 1 ok, 1 slow, 1 wrong.`);
  });
});

test("only a zero may have the other sign, where signs are free", () => {
  expect([agrees(-0, 0), agrees(-0, 0, 1, true), agrees(0, -0, 1, true)]).toEqual([
    false,
    true,
    true,
  ]);
  expect([
    agrees(Infinity, NaN, 1, true),
    agrees(1e-3, 0, 1, true),
    agrees(-1, 1, 1, true),
  ]).toEqual([false, false, false]);
});

test("every loop has whole numbers for results, and a name of its own", () => {
  expect(new Set(LOOPS.map(({ name }) => name)).size).toBe(LOOPS.length);
  for (const loop of LOOPS) {
    const results = [...INPUT].map((x, i) => loop.result(i, x));
    expect(
      results.every((y) => Number.isInteger(y) && y >= 0 && y < 2 ** 32),
      loop.name,
    ).toBe(true);
    expect(new Set(results).size > 1 || /atomic/.test(loop.name), loop.name).toBe(true);
    expect(loopCode(loop)).toContain(`@workgroup_size(${INVOCATIONS})`);
  }
});
