import { compile, type Device, type State, type Tensor } from "../../src/index.ts";
import type { RandomProgram } from "./random-choice.ts";
import { randomProgram } from "./random-program.ts";

const CALLS = 4;

type Values = ArrayLike<number>;

/** Values of a device that runs a random program: of each call, what it returned, then all states. */
export type ProgramValues = readonly (readonly Values[])[];

async function valuesOf(tensors: readonly (Tensor | State)[]): Promise<Values[]> {
  return Promise.all(tensors.map((x) => x.data()));
}

/** Makes the calls, and gives what was returned and all states after each one. */
async function run(
  program: RandomProgram,
  call: (x: Tensor, y: Tensor) => Promise<Tensor[]>,
): Promise<ProgramValues> {
  const found: Values[][] = [];
  for (let i = 0; i < CALLS; i++) {
    const [x, y] = program.inputs(i);
    const results = await call(x, y);
    found.push([...(await valuesOf(results)), ...(await valuesOf(program.states))]);
  }
  return found;
}

/** Runs a random program call by call. */
export function plainRun(
  seed: number,
  device: Device,
  dtype: "f32" | "f64",
): Promise<ProgramValues> {
  const program = randomProgram(seed, device, dtype);
  return run(program, async (x, y) => program.body(x, y));
}

/** Runs a random program as a compiled function. */
export async function compiledRun(seed: number, device: Device): Promise<ProgramValues> {
  const program = randomProgram(seed, device, "f32");
  const f = compile(program.body);
  const found = await run(program, async (x, y) => {
    const results = await f(x, y);
    for (const given of [x, y]) given.dispose();
    return results;
  });
  f.dispose();
  return found;
}

/** Tells the first difference of more than a part of the largest element; "" where there is none. */
export function difference(got: ProgramValues, want: ProgramValues, part = 1e-3): string {
  for (const [call, wanted] of want.entries()) {
    for (const [k, values] of wanted.entries()) {
      const own = got[call][k];
      if (own.length !== values.length) return `call ${call}, value ${k}: ${own.length} elements`;
      const scale = Math.max(1, ...Array.from(values, (x) => Math.abs(x) || 0));
      for (let i = 0; i < values.length; i++) {
        const error = Math.abs(own[i] - values[i]);
        const isSame = Object.is(own[i], values[i]) || error <= part * scale;
        if (!isSame) return `call ${call}, value ${k}, element ${i}: ${own[i]} for ${values[i]}`;
      }
    }
  }
  return "";
}
