import { type Device, init } from "../../src/index.ts";

/** Gives the CPU once as it compiles, and once as it runs the ops' plain forms. */
export async function cpuEngines(): Promise<Record<"compiled" | "plain", Device>> {
  const of = (engine: "compiled" | "plain") => init({ device: "cpu", engine, isolated: true });
  return { compiled: (await of("compiled")).device, plain: (await of("plain")).device };
}
