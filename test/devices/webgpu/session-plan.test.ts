import { expect, test } from "vitest";
import { SessionPlan } from "../../../src/devices/webgpu/session-plan.ts";
import type { Plan } from "../../../src/engine/plan.ts";
import type { Program } from "../../../src/engine/program.ts";

test.each([
  ["was lost, and its plan with it", true, []],
  ["works on, and frees its plan", false, ["a disposes"]],
])(
  "a plan is made anew when another session takes the place of one that %s",
  (_, isOver, freed) => {
    const log: string[] = [];
    const session = (name: string) => ({
      life: { isOver: name === "a" && isOver },
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
    expect(log).toEqual([
      ...["a makes", "a runs", "a runs"],
      ...freed,
      ...["b makes", "b runs", "b runs", "b disposes"],
    ]);
  },
);
