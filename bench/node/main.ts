import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
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
import { readWishes } from "../harness/options.ts";
import { parseReport, type Report, reportFileName } from "../harness/report.ts";
import { runSuite, type SuiteOptions } from "../harness/suite.ts";
import { formatReport } from "../harness/table.ts";
import { type SweepOptions, sweepCandidates, sweptText } from "../kernels/sweep.ts";
import { PEER_NAMES } from "../peers/index.ts";
import { NODE_LOADERS } from "../peers/node-loaders.ts";
import { GrowingFile } from "./growing-file.ts";
import { provideGpu, serveParent } from "./host-process.ts";
import { nodeSurroundings } from "./surroundings.ts";

const HELP = `Measures Gradus and other libraries in Node.

  --only REGEX    workloads by name
  --peers LIST    peers by name or its beginning, separated by commas
  --rounds N      rounds of each measurement (5)
  --json FILE     where the report goes, a file or an existing folder (nowhere when left out)
  --compare FILE  an earlier report
  --candidates    times every candidate of kernels instead; --only takes families by name
  --most N        of problems of N multiplications at the most (10¹²)
  --seconds N     for some N seconds (1,000)
  --help          this text

Dawn, for WebGPU, comes from the module that DAWN_NODE names, else from the package "webgpu".`;

/** About as many bytes as a report has. */
const REPORT_BYTES = 200_000;

function readOptions(args: string[]) {
  const string = { type: "string" } as const;
  const { help, json, compare, candidates, most, seconds, ...wishes } = parse(args, {
    only: string,
    peers: string,
    rounds: string,
    json: string,
    compare: string,
    candidates: flag,
    most: text("1e12"),
    seconds: text("1000"),
    help: { ...flag, short: "h" },
  });
  const present = PEER_NAMES.filter((name) => NODE_LOADERS[name]);
  if (!candidates) {
    return { help, json, compare, suite: wanted(() => readWishes(wishes, present)), sweep: null };
  }
  const sweep = {
    only: wanted(() => new RegExp(wishes.only ?? "")),
    most: readNumber("most", most, [1, 1e15], false),
    seconds: readNumber("seconds", seconds, [1, 1e6]),
  };
  return { help, json, compare, suite: null, sweep };
}

/** Gives what a call gives; says what it throws as what is wrong with the arguments. */
function wanted<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function main({ suite, sweep, ...files }: ReturnType<typeof readOptions>): Promise<void> {
  if (suite) await measure(suite, files);
  else await timeCandidates(sweep, files.json);
}

interface Files {
  readonly json?: string;
  readonly compare?: string;
}

/** The place of a report in a file, or under its own name in a folder. */
function placeOf(json: string, report: string): string {
  return isFolder(json) ? join(json, report) : json;
}

async function measure(suite: SuiteOptions, { json, compare }: Files): Promise<void> {
  if (json) await new ResultFile(placeOf(json, "report.json")).probe(REPORT_BYTES);
  const earlier = compare ? parseReport(await readFile(compare, "utf8")) : null;
  const file = new GrowingFile<Report>(
    json ? (report) => placeOf(json, reportFileName(report)) : null,
  );
  const report = await runSuite({ ...suite, signal: interruption() }, nodeSurroundings(), {
    progress: (line, done, total) => tell(`[${done}/${total}] ${line}`),
    note: (line) => tell(`Note: ${line}.`),
    soFar: (report) => file.grow(report),
  });
  say(formatReport(report, earlier));
  tellPlace(await file.end(report));
}

async function timeCandidates(options: SweepOptions, json: string | undefined): Promise<void> {
  const path = json && placeOf(json, "candidates.json");
  if (path) await new ResultFile(path).probe(REPORT_BYTES);
  const file = new GrowingFile(path ? () => path : null);
  await provideGpu();
  const report = await sweepCandidates({ ...options, signal: interruption() }, (swept, report) => {
    say(`${sweptText(swept)}\n`);
    file.grow(report);
  });
  tellPlace(await file.end(report));
  process.exit(0); // Dawn keeps the process running
}

function tellPlace(path: string | null): void {
  if (path) tell(`Written to ${path}`);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

if (process.argv.includes("--host")) serveParent();
else await run(HELP, readOptions, main);
