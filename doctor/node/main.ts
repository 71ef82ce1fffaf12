import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { VERSIONS } from "../../bench/harness/versions.ts";
import { GrowingFile } from "../../bench/node/growing-file.ts";
import { provideGpu, readDigits } from "../../bench/node/host-process.ts";
import {
  flag,
  interruption,
  parse,
  ResultFile,
  readNumber,
  run,
  say,
  tell,
  text,
  UsageError,
} from "../../examples/command/index.ts";
import { runDoctor } from "../doctor.ts";
import { Printer } from "../printer.ts";
import { type DoctorReport, doctorFileName, parseDoctorReport } from "../report.ts";

const HELP = `Looks at what WebGPU does on this machine, in Node.

  --full          all that there is, some minutes
  --only REGEX    checks by name
  --seconds N     some N seconds for all checks together, in place of their own times
  --json FILE     where the report goes, a file or an existing folder (nowhere when left out)
  --compare FILE  an earlier report
  --help          this text

Dawn, for WebGPU, comes from the module that DAWN_NODE names, else from the package "webgpu".`;

/** About as many bytes as a report has. */
const REPORT_BYTES = 200_000;

function readOptions(args: string[]) {
  const string = { type: "string" } as const;
  const { only, seconds, ...options } = parse(args, {
    full: flag,
    only: string,
    seconds: text("0"),
    json: string,
    compare: string,
    help: { ...flag, short: "h" },
  });
  return {
    ...options,
    only: only === undefined ? undefined : readPattern(only),
    seconds: readNumber("seconds", seconds, [0, 86_400]) || undefined,
  };
}

function readPattern(text: string): RegExp {
  try {
    return new RegExp(text, "i");
  } catch (error) {
    throw new UsageError(`--only: ${(error as Error).message}; expected a regular expression`);
  }
}

function nameOf(path: string, report: DoctorReport | null): string {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory();
  return isFolder ? join(path, report ? doctorFileName(report) : "report.json") : path;
}

async function main({
  full,
  only,
  seconds,
  json,
  compare,
}: ReturnType<typeof readOptions>): Promise<void> {
  if (json) await new ResultFile(nameOf(json, null)).probe(REPORT_BYTES);
  const before = compare ? parseDoctorReport(await readFile(compare, "utf8")) : null;
  const printer = new Printer(say, before);
  const file = new GrowingFile<DoctorReport>(json ? (report) => nameOf(json, report) : null);
  await provideGpu();
  const report = await runDoctor(
    { preset: full ? "full" : "quick", only, seconds, signal: interruption() },
    {
      platform: `Node ${process.versions.node}, ${process.platform} ${process.arch}`,
      cores: availableParallelism(),
      version: VERSIONS.gradus ?? "",
      memory: totalmem(),
      digits: readDigits,
    },
    {
      adapter: (facts) => printer.adapter(facts),
      line: (line) => printer.line(line),
      soFar: (report) => file.grow(report),
    },
  );
  printer.end(report);
  const isWrong = report.lines.some(({ verdict }) => verdict === "wrong");
  const path = await file.end(report);
  if (path) tell(`Written to ${path}`);
  process.exit(isWrong ? 1 : 0); // Dawn keeps the process running
}

await run(HELP, readOptions, main);
