import type { RareCodes } from "./codes.ts";
import { orderKeys } from "./order-keys.ts";
import { momentsCode } from "./row-moments.ts";
import { scanCode, stepsCode } from "./scan.ts";
import { searchCode } from "./search.ts";
import { sortCode } from "./sort-rows.ts";

/** Code of families of kernels whose ops few apps have. */
const CODES: RareCodes = {
  kernels: {
    scan: scanCode,
    steps: stepsCode,
    sort: sortCode,
    search: searchCode,
    moments: momentsCode,
  },
  functions: orderKeys,
};

/** Gives the code what it has in common with the engine's script: nothing where it imports all of it. */
export function kernelCodes(_parts: object, _shared: object): RareCodes {
  return CODES;
}
