import { sameData } from "../core/data-map.ts";
import { is } from "../core/dtype.ts";
import { postorder } from "../core/postorder.ts";
import type { TensorType } from "../core/tensor-type.ts";
import { writeLooped } from "../devices/webgpu/looped.ts";
import { type LoopBody, RowLoop } from "../engine/loop.ts";
import { type Program, sourcesIn, trace } from "../engine/program.ts";
import type { Family } from "../forms/kernel.ts";
import { accumulate, fillTensor, sumTensors } from "../graph/cotangent.ts";
import { pullBack } from "../graph/grad.ts";
import { type JointContext, jointly } from "../graph/jointly.ts";
import { inputsOf, Node, nextNodeId } from "../graph/node.ts";
import { defineOp, type MappedCall, NO_ATTRIBUTES, type OpDefinition } from "../graph/op.ts";
import { apply, applyAll, observeCreation, Tensor } from "../graph/tensor.ts";
import { withAxes } from "../ops/reshape.ts";
import { type TurnGraph, turnGraph } from "./turn-graph.ts";

/** How many turns, and in which direction. */
export type TurnCount = Pick<LoopBody, "length" | "isReversed">;

interface LoopAttributes extends Record<string, unknown> {
  readonly loop: RowLoop;
}

/** Nothing chooses among the kernels of a loop, which are those of its body. */
const NONE: Family = { prologueCost: 0, kernels: [], rule: () => [] };

/** The graphs of turns, by the list of inputs of the nodes that are results. */
const graphs = new WeakMap<readonly Node[], TurnGraph>();

/** carry, y[t] = turn(carry, x[t]) for all rows t. */
const scanOp: OpDefinition<LoopAttributes> = defineOp<LoopAttributes>({
  name: "scan",
  infer: (_, { loop: { body } }) => {
    const { steps, outputs } = body.program;
    return outputs.map((step, i): TensorType => {
      const { shape, dtype } = steps[step];
      return { dtype, shape: i < body.carries ? shape : [body.length, ...shape] };
    });
  },
  writer: writeLooped,
  form: {
    kind: "kernel",
    batching: null,
    isClosed: true,
    family: NONE,
    problem: ({ y: { dtype } }) => ({ dtype }),
  },
  mapped: mapTurns,
  vjp: null,
  vjpAll: (nodes, total, context) => {
    const graph = graphs.get(nodes[0].inputs) as TurnGraph;
    return jointly<LoopAttributes>((g, own) => pullTurns(graph, g, own))(nodes, total, context);
  },
});

/** Loops that were made last, those used last at the end. */
const known: RowLoop[] = [];
const LIMIT = 64;

/** The loop of a turn's graph, or one that computes the same. */
function loopOf(graph: TurnGraph, { length, isReversed }: TurnCount): RowLoop {
  const { constants, carries, xs, next, rows, kept } = graph;
  const inputs = [...constants, ...carries, ...xs];
  const parameters = new Set(inputs);
  const wanted = [...next, ...rows, ...kept];
  const bodyOf = (program: Program, sources: readonly Node[]): LoopBody => {
    const uses = sources.map((node) => inputs.indexOf(node));
    return {
      program,
      uses,
      constants: constants.length,
      carries: carries.length,
      length,
      isReversed,
    };
  };
  const at = known.findLastIndex(({ body }) => {
    const sources = sourcesIn(body.program, wanted, parameters);
    return sources && sameData(body, bodyOf(body.program, sources));
  });
  const [found] = at < 0 ? [] : known.splice(at, 1);
  const make = () => {
    const { program, sources } = trace(wanted, "scan", { parameters });
    return new RowLoop(bodyOf(program, sources));
  };
  const loop = found ?? make();
  known.push(loop);
  if (known.length > LIMIT) known.shift();
  return loop;
}

/** Runs a turn's graph for all rows: gives the carries' last values, and rows of what it gives. */
export function runTurns(
  graph: TurnGraph,
  turns: TurnCount,
  init: readonly Tensor[],
  xs: readonly Tensor[],
  constants = graph.constants.map((node) => new Tensor(node)),
): Tensor[] {
  const loop = loopOf(graph, turns);
  const results = applyAll(scanOp, [...constants, ...init, ...xs], { loop });
  graphs.set(results[0].node.inputs, graph);
  return results;
}

/** Tells the nodes that were made from one number up to now. */
export function madeSince(start: number): (node: Node) => boolean {
  const end = nextNodeId();
  return ({ id }) => id >= start && id < end;
}

/** A node that stands for values of a type. */
export function standIn({ device, shape, dtype }: Node): Node {
  return new Node(device, shape, dtype);
}

/**
 * The cotangents of a loop's inputs: a loop in the other direction, whose turns carry those of the
 * carries and add up those of constants. Each turn computes again what the first loop's turn computed
 * between kernels, of what that was given and what its kernels gave.
 */
function pullTurns(
  graph: TurnGraph,
  cotangents: readonly (Tensor | null)[],
  { inputs, results, attributes: { loop } }: JointContext<LoopAttributes>,
): (Tensor | null)[] {
  const { constants, carries, xs, next, rows, kept } = graph;
  const { length, isReversed } = loop.body;
  const given = [...constants, ...carries, ...xs];
  const gives = [...next, ...rows, ...kept];
  const start = nextNodeId();
  const back = observeCreation(
    () => {},
    () => {
      // Those of the carries that have gradients, and of the rows that something came to.
      const seeds = gives.flatMap((node, i): { i: number; node: Node; g: Tensor }[] => {
        const isSeed = is(node.dtype, "float") && (i < next.length || cotangents[i]);
        return isSeed ? [{ i, node, g: new Tensor(standIn(node)) }] : [];
      });
      const found = pullBack(
        "scan",
        seeds.map(({ node }) => node),
        seeds.map(({ g }) => g),
        given.filter(({ dtype }) => is(dtype, "float")),
        new Set(given),
      );
      const slopes = given.map((node) => {
        const terms = found.get(node);
        return terms && terms.length > 0 ? sumTensors(terms) : null;
      });
      return { seeds, slopes };
    },
  );
  const { seeds, slopes } = back;
  const isNew = madeSince(start);
  const chosen = storedOf(graph, slopes, isNew);
  const resultOf = (node: Node) => {
    const row = rows.indexOf(node);
    return next.length + (row < 0 ? rows.length + kept.indexOf(node) : row);
  };
  const fromCarry = constants.length;
  const fromXs = fromCarry + carries.length;
  const carried = seeds.filter(({ i }) => i < next.length);
  const added = constants.flatMap((node, i) => (slopes[i] ? [{ i, sum: standIn(node) }] : []));
  const moved = xs.flatMap((_, i) => (slopes[fromXs + i] ? [i] : []));
  const rowSeeds = seeds.filter(({ i }) => i >= next.length);
  const nextOf = observeCreation(
    () => {},
    () => [
      ...carried.map(({ i, node }) => slopes[fromCarry + i] ?? fillTensor(new Tensor(node), 0)),
      ...added.map(({ i, sum }) =>
        apply(accumulate, [new Tensor(sum), slopes[i] as Tensor], NO_ATTRIBUTES),
      ),
    ],
  );
  const isOwn = madeSince(start);
  const own = turnGraph(
    {
      carries: [...carried.map(({ g }) => g.node), ...added.map(({ sum }) => sum)],
      xs: [...xs, ...chosen, ...rowSeeds.map(({ g }) => g.node)],
      next: nextOf.map(({ node }) => node),
      rows: moved.map((i) => (slopes[fromXs + i] as Tensor).node),
    },
    (node) => isOwn(node) || graph.mayBeInside(node),
  );
  const made = runTurns(
    own,
    { length, isReversed: !isReversed },
    [
      ...carried.map(({ i }) => cotangents[i] ?? fillTensor(results[i], 0)),
      ...added.map(({ i }) => fillTensor(inputs[i], 0)),
    ],
    [
      ...inputs.slice(fromXs),
      ...chosen.map((node) => results[resultOf(node)]),
      ...rowSeeds.map(({ i }) => cotangents[i] as Tensor),
    ],
    own.constants.map((node) => inputs[constants.indexOf(node)] ?? new Tensor(node)),
  );
  const found: (Tensor | null)[] = given.map(() => null);
  carried.forEach(({ i }, k) => {
    found[fromCarry + i] = made[k];
  });
  added.forEach(({ i }, k) => {
    found[i] = made[carried.length + k];
  });
  moved.forEach((i, k) => {
    found[fromXs + i] = made[carried.length + added.length + k];
  });
  return found;
}

/**
 * Chooses what of a turn is stored for its pull-back: the carries, and of each kernel's chain the last
 * value of which all that the pull-back reads can be computed.
 * @param isNew tells the nodes of the pull-back.
 */
function storedOf(
  { carries, chains }: TurnGraph,
  slopes: readonly (Tensor | null)[],
  isNew: (node: Node) => boolean,
): Node[] {
  const ends = slopes.flatMap((slope) => slope?.node ?? []);
  const read = new Set(ends);
  for (const node of postorder(ends, (one) => (isNew(one) ? inputsOf(one) : []))) {
    if (isNew(node)) for (const input of inputsOf(node)) read.add(input);
  }
  const chosen = chains.map((chain) => {
    const first = chain.findIndex((node) => read.has(node));
    return chain[first < 0 ? chain.length - 1 : first];
  });
  return [...new Set([...carries, ...chosen])];
}

/** A loop of many calls: a turn does what that turn of each call does. */
function mapTurns({ nodes, attributes, inputs, all, within }: MappedCall): readonly Tensor[] {
  const graph = graphs.get(nodes) as TurnGraph;
  const { constants, carries, xs, next, rows, kept } = graph;
  const { body } = attributes.loop as RowLoop;
  const fromXs = constants.length + carries.length;
  const init = inputs.slice(constants.length, fromXs).map(all);
  const given = inputs.slice(fromXs).map(({ x, isShared }) => (isShared ? x : callsTurned(x)));
  const start = nextNodeId();
  // Rows that calls share stay as they are.
  const own = {
    carries: init.map(({ node }) => standIn(node)),
    xs: given.map(({ device, shape, dtype }, i) =>
      inputs[fromXs + i].isShared ? xs[i] : new Node(device, shape.slice(1), dtype),
    ),
  };
  const stands = [
    ...inputs.slice(0, constants.length).map(({ x }) => x.node),
    ...own.carries,
    ...own.xs,
  ];
  const known = [...constants, ...carries, ...xs].flatMap((node, i) => {
    const isCarry = i >= constants.length && i < fromXs;
    return isCarry || !inputs[i].isShared ? [[node, new Tensor(stands[i])] as const] : [];
  });
  const made = observeCreation(
    () => {},
    () => within(known, [...next, ...rows, ...kept], graph.mayBeInside),
  ).map(({ node }) => node);
  const isNew = madeSince(start);
  const mapped = turnGraph(
    { ...own, next: made.slice(0, next.length), rows: made.slice(next.length) },
    (node) => isNew(node) || graph.mayBeInside(node),
  );
  const results = runTurns(
    mapped,
    body,
    init,
    given,
    mapped.constants.map((node) => inputs[constants.indexOf(node)]?.x ?? new Tensor(node)),
  );
  return results.slice(0, made.length).map((y, i) => (i < next.length ? y : callsTurned(y)));
}

/** The first two axes swapped: rows of calls, or calls of rows. */
function callsTurned(x: Tensor): Tensor {
  const [, , ...rest] = x.shape.keys();
  return withAxes(x, [1, 0, ...rest]);
}
