import { traitsOf } from "../src/kernels/choose.ts";
import { tables } from "../test/cases/tables.ts";
import { familyCalls } from "../test/support/family-calls.ts";
import { CHECKS } from "./checks/index.ts";
import {
  adapterFacts,
  Bench,
  type Check,
  Context,
  type DoctorListener,
  type Finding,
  messageOf,
  NotThere,
  type Subjects,
  type Surroundings,
} from "./context.ts";
import type { AdapterFacts, DoctorReport, Line, Preset } from "./report.ts";

/** What a run may be told. */
export interface DoctorOptions {
  readonly preset: Preset;
  /** Which checks are made: those whose names it fits; all when left out. */
  readonly only?: RegExp;
  readonly signal?: AbortSignal;
  /** How long all checks should take together; as long as their own times when left out. */
  readonly seconds?: number;
  readonly subjects?: Partial<Subjects>;
  /** What is done in place of the doctor's own checks. */
  readonly checks?: readonly Check[];
  /** How many times as long as its time a check may take before it counts as hanging; 6 when left out. */
  readonly patience?: number;
}

/** Seconds that a check may take beyond its own time, for what cannot be stopped halfway. */
const SPARE_S = 15;

/** So long, in seconds, checks of open length have a quick run take. */
const QUICK_S = 18;

/**
 * How long the first of some checks may take, of a run that has taken `elapsed` seconds: its own time times
 * `scale`, or its share of what is left of `all` where it is of open length.
 */
export function secondsOf(
  [check, ...later]: readonly Check[],
  preset: Preset,
  elapsed: number,
  all = preset === "quick" ? QUICK_S : Number.POSITIVE_INFINITY,
  scale = 1,
): number {
  const own = check.seconds[preset] * scale;
  if (all === Number.POSITIVE_INFINITY || !check.isOpen) return own;
  const sum = (checks: readonly Check[]) =>
    checks.reduce((sum, { seconds }) => sum + seconds[preset] * scale, 0);
  const left = all - elapsed - sum(later.filter(({ isOpen }) => !isOpen));
  const share = own / (own + sum(later.filter(({ isOpen }) => isOpen)));
  return Math.max(own / 2, left * share);
}

/** Looks at all that there is, one check after the other; what breaks in one leaves the others alone. */
export async function runDoctor(
  { preset, only, signal, seconds: most, subjects, checks = CHECKS, patience = 6 }: DoctorOptions,
  surroundings: Surroundings,
  listener: DoctorListener = {},
): Promise<DoctorReport> {
  const began = performance.now();
  const date = new Date().toISOString();
  const bench = new Bench();
  const tried: Subjects = { ops: tables, families: familyCalls, ...subjects };
  const lines: Line[] = [];
  const { facts, why } = await adapterFacts(traitsOf);
  listener.adapter?.(facts, why);
  const wanted = checks.filter(({ name }) => only?.test(name) ?? true);
  const total = wanted.reduce((sum, { seconds }) => sum + seconds[preset], 0);
  const { platform, cores, version } = surroundings;
  const head = { format: "gradus-doctor/1", date, version, platform, cores, preset } as const;
  const reportOf = (stopped: boolean): DoctorReport => {
    const seconds = (performance.now() - began) / 1000;
    return { ...head, stopped, seconds, adapter: facts, lines: [...lines] };
  };
  let before = 0;
  for (const [i, check] of wanted.entries()) {
    if (signal?.aborted) break;
    const elapsed = (performance.now() - began) / 1000;
    const scale = most ? most / total : 1;
    const seconds = secondsOf(wanted.slice(i), preset, elapsed, most, scale);
    const tell = (finding: Finding) => {
      const line = { check: check.name, ...finding };
      lines.push(line);
      listener.line?.(line);
      listener.soFar?.(reportOf(true));
    };
    const [done, own] = [before, check.seconds[preset]];
    const say = (text: string, share = 0) =>
      listener.progress?.(`${check.name}: ${text}`, (done + own * Math.min(1, share)) / total);
    say("begins");
    if (!facts && !check.isFree)
      tell({ name: "all", verdict: "not there", text: `no WebGPU: ${why}` });
    else {
      const context = new Context(
        ...([preset, bench, tried, surroundings, facts, signal, seconds, tell, say] as const),
      );
      await runCheck(check, context, (seconds + SPARE_S) * patience);
    }
    before += check.seconds[preset];
  }
  bench.renew();
  return reportOf(signal?.aborted ?? false);
}

/** Makes one check; what it throws, and that it hangs, becomes a line. */
async function runCheck(check: Check, context: Context, limit: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), 1000 * limit);
  });
  try {
    if ((await Promise.race([check.run(context), late])) === "late") {
      throw new Error(`no answer in ${limit.toFixed(0)} s`);
    }
    const loss = context.bench.takeLoss();
    if (loss) throw new Error(`the GPUDevice was lost: ${loss}`);
  } catch (error) {
    const verdict = error instanceof NotThere ? "not there" : "wrong";
    context.line({ name: "all", verdict, text: messageOf(error) });
    context.bench.renew();
  } finally {
    clearTimeout(timer);
    context.isOver = true;
  }
}

/** What a page can show at once: the adapter, or why there is none. */
export function lookAtAdapter(): Promise<{ facts: AdapterFacts | null; why: string }> {
  return adapterFacts(traitsOf);
}
