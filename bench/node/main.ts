import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  flag,
  parse,
  ResultFile,
  run,
  say,
  tell,
  UsageError,
} from "../../examples/command/index.ts";
import { readWishes } from "../harness/options.ts";
import { parseReport, reportFileName } from "../harness/report.ts";
import { runSuite } from "../harness/suite.ts";
import { formatReport } from "../harness/table.ts";
import { PEER_NAMES } from "../peers/index.ts";
import { NODE_LOADERS } from "../peers/node-loaders.ts";
import { serveParent } from "./host-process.ts";
import { nodeSurroundings } from "./surroundings.ts";

const HELP = `Measures Gradus and other libraries in Node.

  --only REGEX    workloads by name
  --peers LIST    peers by name or its beginning, separated by commas
  --rounds N      rounds of each measurement (5)
  --json FILE     where the report goes, a file or an existing folder (nowhere when left out)
  --compare FILE  an earlier report
  --help          this text

Dawn, for WebGPU, comes from the module that DAWN_NODE names, else from the package "webgpu".`;

/** About as many bytes as a report has. */
const REPORT_BYTES = 200_000;

function readOptions(args: string[]) {
  const string = { type: "string" } as const;
  const { help, json, compare, ...wishes } = parse(args, {
    only: string,
    peers: string,
    rounds: string,
    json: string,
    compare: string,
    help: { ...flag, short: "h" },
  });
  const present = PEER_NAMES.filter((name) => NODE_LOADERS[name]);
  return { help, json, compare, suite: wanted(() => readWishes(wishes, present)) };
}

/** Gives what a call gives; says what it throws as what is wrong with the arguments. */
function wanted<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function main({ json, compare, suite }: ReturnType<typeof readOptions>): Promise<void> {
  const nameOf = (report: string) => (json && isFolder(json) ? join(json, report) : json);
  const file = nameOf("report.json");
  if (file) await new ResultFile(file).probe(REPORT_BYTES);
  const earlier = compare ? parseReport(await readFile(compare, "utf8")) : null;
  const report = await runSuite(suite, nodeSurroundings(), {
    progress: (line, done, total) => tell(`[${done}/${total}] ${line}`),
    note: (line) => tell(`Note: ${line}.`),
  });
  say(formatReport(report, earlier));
  const result = nameOf(reportFileName(report));
  if (!result) return;
  await new ResultFile(result).write(`${JSON.stringify(report, null, 2)}\n`);
  tell(`Written to ${result}`);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

if (process.argv.includes("--host")) serveParent();
else await run(HELP, readOptions, main);
