import { beforeAll, describe, expect, test } from "vitest";
import { sizeOf } from "../../src/core/shape.ts";
import { type Device, GradusError } from "../../src/index.ts";
import { tables } from "../cases/tables.ts";
import { isAcceptance } from "../support/acceptance.ts";
import { variantsOf } from "../support/call-variants.ts";
import { cpuEngines } from "../support/cpu-engines.ts";
import { expectParity } from "../support/parity.ts";
import { thirdOf } from "../support/third-of.ts";

let plain: Device;
let compiled: Device;
beforeAll(async () => {
  ({ plain, compiled } = await cpuEngines());
});

/** The most elements of an input. */
const MOST = 3000;

/** The same of a variant, where not all are tried: a volume of 33 on each of five axes takes a minute. */
const MOST_OF_VARIANT = 2 ** 21;

/** How many variants there were that no op refused. */
let taken = 0;

describe("axes of size 0 and 1, sizes of no tile, and views", () => {
  for (const [name, row] of tables) {
    const small = row.calls.filter(({ inputs }) =>
      inputs.every(({ shape }) => sizeOf(shape) < MOST),
    );
    const calls = isAcceptance ? small : small.slice(0, 1);
    test(name, async () => {
      for (const call of calls) {
        for (const [i, variant] of variantsOf(call).entries()) {
          const isLarge = variant.call.inputs.some(({ shape }) => sizeOf(shape) > MOST_OF_VARIANT);
          if (!isAcceptance && (isLarge || i % 3 !== thirdOf(name))) continue;
          try {
            await expectParity(row, variant.call, compiled, plain, 1);
            taken++;
          } catch (error) {
            if (error instanceof GradusError) continue;
            const place = `call ${row.calls.indexOf(call) + 1}, ${variant.name}`;
            throw new Error(`${place}: ${(error as Error).message}`, { cause: error });
          }
        }
      }
    });
  }
});

test("ops take most of them", () => {
  expect(taken).toBeGreaterThan(1.5 * tables.length);
});
