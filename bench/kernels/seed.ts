/** What a sweep measured, as the data by which tiles of products are chosen first. */
import { choicesOf } from "../../src/kernels/candidates.ts";
import { moreTiles, products } from "../../src/kernels/matmul.ts";
import type { MeasuredProduct } from "../../src/kernels/measured-products.ts";
import { subgroupChoices } from "../../src/kernels/subgroup-trees.ts";
import type { SweepReport, Swept } from "./sweep.ts";

/** Vendor and architecture, which adapters are called by first. */
const WORDS = 2;

/** Makes of a report how the names of such adapters begin, and what was measured of each product. */
export async function seedOf(
  report: SweepReport,
): Promise<readonly [begin: string, products: MeasuredProduct[]]> {
  const { format, adapter, swept } = report;
  if (format !== "gradus-candidates/1") {
    throw new Error(`seed: a file of format ${format}; expected what --candidates wrote`);
  }
  if (adapter.software) {
    throw new Error(
      `seed: ${adapter.name} is emulated by a CPU; expected a GPU, for tiles are its`,
    );
  }
  await moreTiles.get();
  const begin = adapter.name.toLowerCase().split(/\s+/).slice(0, WORDS).join(" ");
  const measured = swept
    .filter(({ family }) => family === "matmul")
    .map(({ sizes: { BATCH, M, N, K }, candidates }) => {
      return { sizes: [BATCH, M, N, K], times: timesOf(candidates) };
    });
  return [begin, measured.filter(({ times }) => Object.keys(times).length > 1)];
}

/** How many invocations subgroups may have. */
const LANES = [4, 8, 16, 32, 64, 128];

/** The names of all tiles that there are, by subgroups of any sizes too. */
function knownNames(): Set<string> {
  const sizes = LANES.flatMap((least) => LANES.map((most) => ({ least, most })));
  const choices = [
    ...choicesOf(products),
    ...sizes.flatMap((own) => subgroupChoices(products, own)),
  ];
  const tiles = choices.filter(({ kernel }) => kernel.kind === "workgroup");
  return new Set(tiles.map(({ candidate }) => nameOf(candidate)));
}

/** Milliseconds of the tiles that there still are and that ran, by their names. */
function timesOf(timed: Swept["candidates"]): Record<string, number> {
  const known = knownNames();
  const found = timed.flatMap(({ kind, candidate, milliseconds }) => {
    const name = nameOf(candidate);
    const isKnown = kind === "workgroup" && known.has(name) && milliseconds !== undefined;
    return isKnown ? [[name, Number(milliseconds.toPrecision(4))] as const] : [];
  });
  return Object.fromEntries(found);
}

function nameOf(candidate: Swept["candidates"][number]["candidate"]): string {
  return moreTiles.loaded?.tileName(candidate) ?? "";
}

/** The file of all that was measured with one adapter more, or anew. */
export function seedFile(
  text: string,
  before: ReadonlyMap<string, readonly MeasuredProduct[]>,
  [begin, measured]: readonly [string, readonly MeasuredProduct[]],
): string {
  const all = new Map([...before, [begin, measured]] as const);
  const sorted = [...all].sort(([a], [b]) => (a < b ? -1 : 1));
  const data = JSON.stringify(Object.fromEntries(sorted), null, 2);
  const head = text.slice(0, text.indexOf("Object.entries(") + "Object.entries(".length);
  return `${head}${data}));\n`;
}
