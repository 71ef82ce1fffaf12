import type { Device } from "../../src/index.ts";
import type { Call, OpCase } from "./op-case.ts";
import { type Errors, EXTREMES, errorsOf, type NumberSet, UNBOUNDED } from "./op-errors.ts";

/** The sets of numbers that a column is about. */
const COLUMNS = { ordinary: ["ordinary"], extreme: EXTREMES } as const;

/** A column's numbers. */
export type Column = keyof typeof COLUMNS;

const COLUMN_NAMES = Object.keys(COLUMNS) as Column[];

/** A device's column of the table. */
export type TableDevice = "CPU" | "WebGPU" | "plain";

/** Largest errors of a device in each column. */
export type DeviceErrors = Readonly<Record<Column, Errors>>;

/** A line of the table: what was measured of an op, or what the page allows it. */
export type Line = Readonly<Record<TableDevice, DeviceErrors>>;

/** What a sum of float32 numbers may err by at most: half the distance of two. */
const ROUNDED = 6e-8;

/** Errors above need a reason in the page. */
export const LIMIT = 1e-6;

const NONE: Errors = { value: 0, gradient: 0 };

/** The larger of errors. */
export function larger(a: Errors, b: Errors): Errors {
  return { value: Math.max(a.value, b.value), gradient: Math.max(a.gradient, b.gradient) };
}

/** What is measured of a row. */
export interface Plan {
  readonly seeds: readonly number[];
  /** All calls of the row, where they are left out. */
  readonly calls?: readonly Call[];
}

/** Measures a row on devices. */
export async function measureRow<Name extends string>(
  row: OpCase,
  devices: Readonly<Record<Name, Device>>,
  specification: Device,
  { seeds, calls = row.calls }: Plan,
): Promise<Record<Name, DeviceErrors>> {
  const names = Object.keys(devices) as Name[];
  const found = new Map<Name, Record<Column, Errors>>(
    names.map((name) => [name, { ordinary: NONE, extreme: NONE }]),
  );
  for (const column of COLUMN_NAMES) {
    for (const call of calls) {
      for (const set of COLUMNS[column] as readonly NumberSet[]) {
        for (const seed of seeds) {
          const errors = await errorsOf({ row, call, set, seed }, devices, specification);
          for (const name of names) {
            const own = found.get(name) as Record<Column, Errors>;
            own[column] = larger(own[column], errors[name]);
          }
        }
      }
    }
  }
  return Object.fromEntries(found) as Record<Name, DeviceErrors>;
}

/** Writes an error, rounded up to one of few numbers; 0 stays, and so does no bound. */
function written(error: number): string {
  if (error === 0) return "0";
  if (error <= ROUNDED) return "6e-8";
  if (error >= UNBOUNDED) return "∞";
  const power = Math.floor(Math.log10(error));
  const steps = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];
  const step = steps.find((s) => error <= s * 10 ** power) as number;
  return step === 10 ? `1e${power + 1}` : `${step}e${power}`;
}

const read = (text: string) => (text === "∞" ? UNBOUNDED : Number(text));

function cellOf({ value, gradient }: Errors, isSmooth: boolean): string {
  return isSmooth ? `${written(value)} / ${written(gradient)}` : written(value);
}

/** Writes a line. */
export function lineText(name: string, { gradient }: OpCase, line: Line): string {
  const isSmooth = gradient === true;
  const cells = (device: TableDevice) =>
    COLUMN_NAMES.map((column) => cellOf(line[device][column], isSmooth));
  const plain = larger(line.plain.ordinary, line.plain.extreme);
  const differs = Math.max(plain.value, isSmooth ? plain.gradient : 0) > ROUNDED;
  const all = [...cells("CPU"), ...cells("WebGPU"), differs ? cellOf(plain, isSmooth) : ""];
  return `| \`${name}\` | ${all.join(" | ")} |`;
}

function errorsIn(cell: string): Errors {
  const [value, gradient = 0] = cell.split(" / ").map(read);
  return { value, gradient };
}

/** Reads a line's cells; null for what is no line of an op. */
export function readLine(text: string): [name: string, allowed: Line] | null {
  const [, name, rest] = text.match(/^\| `(\w+)` \| (.*) \|$/) ?? [];
  if (name === undefined) return null;
  const cells = rest.split(" | ").map((cell) => cell.trim());
  const [cpu, cpuExtreme, gpu, gpuExtreme] = cells.map(errorsIn);
  const plain = cells[4] ? errorsIn(cells[4]) : { value: ROUNDED, gradient: ROUNDED };
  const allowed = {
    CPU: { ordinary: cpu, extreme: cpuExtreme },
    WebGPU: { ordinary: gpu, extreme: gpuExtreme },
    plain: { ordinary: plain, extreme: plain },
  };
  return [name, allowed];
}

/** Whether some error of a line is above the limit. */
export function isAbove(allowed: Line, limit: number): boolean {
  const all = Object.values(allowed).flatMap(({ ordinary, extreme }) => [ordinary, extreme]);
  return all.some(({ value, gradient }) => Math.max(value, gradient) > limit);
}

const [BEGIN, END] = ["<!-- errors -->", "<!-- /errors -->"];

/** The lines of the table in a page, by the names of ops. */
export function linesIn(page: string): Map<string, string> {
  const table = page.split(BEGIN)[1].split(END)[0];
  return new Map(
    table.split("\n").flatMap((text) => {
      const line = readLine(text);
      return line ? [[line[0], text] as const] : [];
    }),
  );
}

/** Puts lines into the table of a page. */
export function withLines(page: string, lines: readonly string[]): string {
  const head = [
    "| op | CPU | CPU, extreme | WebGPU | WebGPU, extreme | plain |",
    "|---|---|---|---|---|---|",
  ];
  const [before, after] = [page.split(BEGIN)[0], page.split(END)[1]];
  return `${before}${BEGIN}\n\n${[...head, ...lines].join("\n")}\n\n${END}${after}`;
}

/**
 * Says where devices err by more than a page allows, with ordinary numbers and with some of the
 * extreme ones, which are others for other calls.
 */
export async function excesses(
  row: OpCase,
  calls: readonly Call[],
  devices: Readonly<Partial<Record<TableDevice, Device>>>,
  specification: Device,
  allowed: Line,
): Promise<string[]> {
  const found: string[] = [];
  for (const call of calls) {
    for (const column of COLUMN_NAMES) {
      const sets: readonly NumberSet[] = COLUMNS[column];
      const set = sets[row.calls.indexOf(call) % sets.length];
      const isWithin = (device: TableDevice, { value, gradient }: Errors) =>
        value <= allowed[device][column].value && gradient <= allowed[device][column].gradient;
      const measured = { row, call, set, seed: 1 };
      const all = devices as Record<TableDevice, Device>;
      const errors = await errorsOf(measured, all, specification, isWithin);
      for (const [device, own] of Object.entries(errors) as [TableDevice, Errors][]) {
        if (isWithin(device, own)) continue;
        const place = `call ${row.calls.indexOf(call) + 1}, ${set} numbers, ${device}`;
        found.push(`${place}: ${own.value} / ${own.gradient}`);
      }
    }
  }
  return found;
}
