import type {
  Candidate,
  Choose,
  Constants,
  Family,
  KernelChoice,
  Problem,
} from "../forms/kernel.ts";
import type { Traits } from "../forms/traits.ts";
import type { ShaderFile } from "../forms/wgsl.ts";
import { PLACES_MEMORY } from "./lane-places.ts";
import type { SubgroupSizes } from "./subgroup-products.ts";
import { subgroupChoices } from "./subgroup-trees.ts";

// What measures kernels has of them. A script of its own: no page needs it to compute.

/** What is asked of choices. */
export interface ChoiceOptions {
  /** What would choose: by rule, for one. */
  readonly choose: Choose;
  /** Whether only those count that give the bits of the first. */
  readonly reproducible: boolean;
  /** What subgroups have; only kernels without subgroups count when left out. */
  readonly lanes?: SubgroupSizes;
  /** Of how many ops a kernel reduces numbers at once; 1 when left out. */
  readonly values?: number;
}

const NO_LANES: SubgroupSizes = { least: 0, most: 0 };

/**
 * What may compute a problem on such hardware: first what `choose` takes, then the others, where it is known by
 * what they should cost.
 */
export function choicesFor<P extends Problem>(
  family: Family<P>,
  problem: P,
  traits: Traits,
  { choose, reproducible, lanes = NO_LANES, values = 1 }: ChoiceOptions,
): KernelChoice<P>[] {
  const first = choose(family, problem);
  const { candidate: own, kernel: ownKernel } = first;
  const isFirst = ({ kernel, candidate }: KernelChoice<P>) =>
    kernel === ownKernel && candidate === own;
  const able = [
    ...choicesOf(family).filter((choice) => !choice.kernel.subgroups || traits.quads),
    // To a CPU that emulates, rows of lanes are 1.1 to 6 times as slow as those of one invocation.
    ...subgroupChoices(family, lanes, values).filter(
      ({ kernel }) => kernel.kind === "workgroup" || !traits.quads,
    ),
  ];
  const others = able.filter(
    (choice) =>
      !isFirst(choice) &&
      mayRun(choice, problem, traits) &&
      (!reproducible || orderOf(choice) === orderOf(first)),
  );
  const cost = (choice: KernelChoice<P>) => expectedCost(family, choice, problem, traits);
  // Where nothing is known of costs: of each kernel first what is most like the first choice.
  const turns = new Map<unknown, number>();
  const ranked = sorted(others, ({ candidate }) => differences(candidate, own)).map((choice) => {
    const turn = turns.get(choice.kernel) ?? 0;
    turns.set(choice.kernel, turn + 1);
    return { choice, turn };
  });
  const inTurn = sorted(ranked, ({ turn }) => turn).map(({ choice }) => choice);
  return [first, ...withSubgroups(sorted(inTurn, cost), cost)];
}

/** Rivals that may cost less by a model than the best by subgroups and yet come before it. */
const KNOWN_RIVALS = 2;

/**
 * Moves the best by subgroups among the first, where a model has the order: what subgroups gain differs more from
 * GPU to GPU than any model knows, so that it should be measured.
 */
function withSubgroups<P extends Problem>(
  choices: readonly KernelChoice<P>[],
  cost: (choice: KernelChoice<P>) => number,
): readonly KernelChoice<P>[] {
  const best = choices.find(({ kernel }) => kernel.subgroups);
  if (!best || cost(best) === 0 || choices.indexOf(best) <= KNOWN_RIVALS) return choices;
  const others = choices.filter((choice) => choice !== best);
  return [...others.slice(0, KNOWN_RIVALS), best, ...others.slice(KNOWN_RIVALS)];
}

/** A list in the order of a number of each, equal ones as they were. */
function sorted<T>(list: readonly T[], numberOf: (item: T) => number): T[] {
  const numbers = new Map(list.map((item) => [item, numberOf(item)]));
  return [...list].sort((a, b) => (numbers.get(a) as number) - (numbers.get(b) as number));
}

/** How many numbers of a candidate another one has otherwise. */
function differences(candidate: Candidate, other: Candidate): number {
  return Object.entries(candidate).filter(([name, n]) => other[name] !== n).length;
}

/** All ways to compute what a family does. */
export function choicesOf<P extends Problem>({ kernels }: Family<P>): KernelChoice<P>[] {
  return kernels.flatMap((kernel) => kernel.candidates.map((candidate) => ({ kernel, candidate })));
}

/** Names the order in which a choice adds: choices of one order give the same bits. */
export function orderOf<P extends Problem>({ kernel, candidate }: KernelChoice<P>): string {
  const { kind, order } = kernel;
  return order ?? (kind === "direct" ? kind : `${kind} ${candidate.WORKGROUP}`);
}

/** Names a choice among those of its family: the same text in any run of this version. */
export function choiceName<P extends Problem>({ kernel, candidate }: KernelChoice<P>): string {
  return `${filesOf(kernel)} ${sizesText(candidate)}`;
}

/** Finds the choice of a name; undefined where there is none. */
export function choiceNamed<P extends Problem>(
  family: Family<P>,
  name: string,
): KernelChoice<P> | undefined {
  return choicesOf(family).find((choice) => choiceName(choice) === name);
}

/** Names a problem and what computes it, to keep what was measured under. */
export function problemName<P extends Problem>(
  { kernels: [first] }: Family<P>,
  { dtype, ...sizes }: P,
): string {
  return `${filesOf(first)} ${dtype} ${sizesText(sizes as Constants)}`;
}

function filesOf({ files }: { readonly files: readonly ShaderFile[] }): string {
  return files.map(({ name }) => name.replace(/^shaders\/|\.wgsl$/g, "")).join("+");
}

function sizesText(numbers: Constants): string {
  const names = Object.keys(numbers).sort();
  return names.map((name) => `${name}=${numbers[name]}`).join(" ");
}

/**
 * Whether a choice shares dispatches wherever the first may: its workgroups have as many invocations, and no
 * more memory but for a counter of places, for which there is room.
 */
export function sharesAs<P extends Problem>(
  first: KernelChoice<P>,
  choice: KernelChoice<P>,
  problem: P,
): boolean {
  const memoryOf = ({ kernel, candidate }: KernelChoice<P>) =>
    kernel.layout(problem, candidate).memory ?? 0;
  return (
    choice.candidate.WORKGROUP === first.candidate.WORKGROUP &&
    memoryOf(choice) <= memoryOf(first) + PLACES_MEMORY
  );
}

/** Bytes of workgroup memory that every adapter has. */
const LEAST_MEMORY = 16384;

function mayRun<P extends Problem>(
  { kernel, candidate }: KernelChoice<P>,
  problem: P,
  { invocations = 256 }: Traits,
): boolean {
  if (kernel.fits?.(problem) === false) return false;
  const { memory: own = 0 } = kernel.layout(problem, candidate);
  return candidate.WORKGROUP <= invocations && own <= LEAST_MEMORY;
}

/** What a choice should cost, to compare with others of its family; 0 where nothing is known of that. */
function expectedCost<P extends Problem>(
  family: Family<P>,
  { kernel, candidate }: KernelChoice<P>,
  problem: P,
  traits: Traits,
): number {
  if (kernel.kind === "direct") return 0;
  const model = family.kernels.find(({ cost }) => cost);
  return model?.cost?.(problem, candidate as Candidate, traits) ?? 0;
}
