import { expect, test } from "vitest";
import { SessionPlan } from "../../../src/devices/webgpu/session-plan.ts";
import type { Plan } from "../../../src/engine/plan.ts";
import type { Program } from "../../../src/engine/program.ts";

test("a plan is made anew when the session of its device is another", () => {
  const log: string[] = [];
  const session = (name: string) => ({
    compile: (): Plan => {
      log.push(`${name} makes`);
      return {
        stats: async () => {
          throw new Error("not asked for");
        },
        ready: true,
        prepare: async () => {},
        run: () => {
          log.push(`${name} runs`);
          return [];
        },
        profile: async () => ({ outputs: [], profile: { clock: "host", kernels: [] } }),
        dispose: () => log.push(`${name} disposes`),
      };
    },
  });
  const program: Program = { steps: [], sources: [], outputs: [], updates: [] };
  const device = { session: session("a") };
  const plan = new SessionPlan(device, program, { repeated: true });
  plan.run([]);
  plan.run([]);
  device.session = session("b");
  plan.run([]);
  plan.run([]);
  plan.dispose();
  expect(log).toEqual(["a makes", "a runs", "a runs", "b makes", "b runs", "b runs", "b disposes"]);
});
