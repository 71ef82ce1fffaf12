import { type Place, partsOf, walk } from "../core/tree.ts";
import type { Profile } from "./profile.ts";
import type { Brought, Replay } from "./replay.ts";

/** Runs a plan once on what a call brings, takes the time of each kernel, and frees the result. */
export async function profileRun(
  replay: Replay<readonly never[], unknown>,
  brought: Brought,
): Promise<Profile> {
  const note = replay.device.journal?.noting(replay, brought);
  replay.place(brought);
  const { outputs, profile } = await replay.plan.profile(replay.storages);
  const result = await replay.finish(outputs, note);
  const open = (part: unknown, { isCycle }: Place) => (isCycle ? null : partsOf(part));
  walk(result, open, (part) => (part as { dispose?(): void } | null | undefined)?.dispose?.());
  return profile;
}
