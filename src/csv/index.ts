export { type CsvLabels, type CsvOptions, type CsvTable, readCsv } from "./read-csv.ts";
