import { statSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
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

async function main(): Promise<void> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      only: text,
      peers: text,
      rounds: text,
      json: text,
      compare: text,
      help: { type: "boolean" },
    },
  });
  if (values.help) return console.log(HELP);
  const earlier = values.compare ? parseReport(await readFile(values.compare, "utf8")) : null;
  const present = PEER_NAMES.filter((name) => NODE_LOADERS[name]);
  const options = readWishes(values, present);
  const report = await runSuite(options, nodeSurroundings(), {
    progress: (line, done, total) => console.error(`[${done}/${total}] ${line}`),
    note: (line) => console.error(`Note: ${line}.`),
  });
  console.log(formatReport(report, earlier));
  if (!values.json) return;
  const file = isFolder(values.json) ? join(values.json, reportFileName(report)) : values.json;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
  console.error(`Written to ${file}`);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

if (process.argv.includes("--host")) {
  serveParent();
} else {
  try {
    await main();
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
