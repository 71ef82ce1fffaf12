import type { RareCodes } from "./codes.ts";
import { moreFunctions } from "./more-functions.ts";

/** Code of functions of elements that few apps call. */
const CODES: RareCodes = { functions: moreFunctions };

/** Gives the code what it has in common with the engine's script: nothing where it imports all of it. */
export function functionCodes(_parts: object, _shared: object): RareCodes {
  return CODES;
}
