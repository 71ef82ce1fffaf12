import type { RareCodes } from "./codes.ts";
import { packingOf } from "./packing.ts";
import { ProductBlocks } from "./product-blocks.ts";

/** Code of products whose operands are put in order, as windows are. */
const CODES: RareCodes = { blocking: { packingOf, ProductBlocks } };

/** Gives the code what it has in common with the engine's script: nothing where it imports all of it. */
export function windowCodes(_parts: object, _shared: object): RareCodes {
  return CODES;
}
