import fc from "fast-check";
import type { Device } from "../../src/index.ts";
import { type Chain, chainDifference, planOf } from "./random-chain.ts";

/** The most steps of a chain. */
const LONGEST = 20;

/** Which chains are tried. */
export interface Draws {
  readonly seed: number;
  readonly count: number;
}

/** Chains of up to twenty steps; a shorter one is simpler, and another number is not. */
const chains = fc.array(fc.noShrink(fc.nat({ max: 2 ** 31 - 1 })), {
  minLength: 1,
  maxLength: LONGEST,
  size: "max",
});

/** Says what a chain computes and where a device gives something else; "" where it does not. */
export async function chainFailure(
  chain: Chain,
  device: Device,
  specification: Device,
): Promise<string> {
  const plan = await planOf(chain, specification);
  const difference = await chainDifference(plan, device, specification).catch(String);
  if (difference === "") return "";
  const replay = `npm run fuzz -- --chain ${chain.join(",")} --device ${device.kind}`;
  return [...plan.texts, difference, replay].join("\n");
}

/** Tries random chains on a device; tells of the shortest that fails, "" where none does. */
export async function fuzzChains(
  device: Device,
  specification: Device,
  { seed, count }: Draws,
): Promise<string> {
  const property = fc.asyncProperty(chains, async (chain) => {
    const failure = await chainFailure(chain, device, specification);
    if (failure !== "") throw new Error(failure);
  });
  const { failed, errorInstance } = await fc.check(property, { seed, numRuns: count });
  return failed ? (errorInstance as Error).message : "";
}
