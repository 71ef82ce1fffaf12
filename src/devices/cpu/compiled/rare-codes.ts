import type { RareCodes } from "./codes.ts";
import { elementSumsCode } from "./element-sums.ts";
import { placeCode } from "./place-rows.ts";
import { scanCode, stepsCode } from "./scan.ts";
import { searchCode } from "./search.ts";
import { sortCode } from "./sort-rows.ts";

/** Code of families of kernels whose ops few apps have. */
const CODES: RareCodes = {
  scan: scanCode,
  steps: stepsCode,
  sort: sortCode,
  search: searchCode,
  rowPlaces: placeCode,
  rowSums: elementSumsCode,
};

/** Gives the code what it has in common with the engine's script: nothing where it imports all of it. */
export function codesOf(_parts: object, _shared: object): RareCodes {
  return CODES;
}
