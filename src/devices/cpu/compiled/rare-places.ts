import { argReduceCode } from "./best-places.ts";
import type { RareCodes } from "./codes.ts";
import { elementSumsCode } from "./element-sums.ts";
import { placeCode } from "./place-rows.ts";

/** Code of what finds places, and of what puts rows and elements where indices say. */
const CODES: RareCodes = {
  kernels: { place: argReduceCode, rowPlaces: placeCode, rowSums: elementSumsCode },
};

/** Gives the code what it has in common with the engine's script: nothing where it imports all of it. */
export function placeCodes(_parts: object, _shared: object): RareCodes {
  return CODES;
}
