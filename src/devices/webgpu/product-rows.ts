import { productFor } from "../../engine/made-rows.ts";
import type { FindProduct } from "../../engine/merge.ts";
import type { Traits } from "../../forms/traits.ts";
import { makesRows } from "../../kernels/product-rows.ts";

// A script of its own, which shares no code with others: what it shared would be another script.

export { ofProducts } from "../../kernels/product-rows.ts";

/** Finds products that kernels of rows had better make themselves on such hardware. */
export function findProducts(traits: Traits): FindProduct {
  return (fusion, group, results) =>
    productFor(fusion, group, results, (family, product) => makesRows(traits, family, product));
}
