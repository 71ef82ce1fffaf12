export type { CsvLabels } from "./columns.ts";
export type { CsvOptions } from "./options.ts";
export { type CsvTable, readCsv } from "./read-csv.ts";
