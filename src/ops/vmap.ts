import { checkFunctions, checkOptions, checkSynchronous, type Known } from "../core/check.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import type { State } from "../graph/state.ts";
import { traceFunction } from "../graph/tracing.ts";
import { moveAxis } from "./axes.ts";
import { inAll } from "./batching-rules.ts";
import { checkAxes, checkAxis, type MapAxes, type NamedAxes, replaceTensors } from "./map-axes.ts";
import { MappedGraph } from "./mapped-graph.ts";

/** Options of `vmap`. */
export interface VmapOptions {
  /**
   * The axis of the arguments' tensors along which calls differ, counted from the end when negative;
   * null for what is the same in all calls. One for all arguments, or an array with one for each, in
   * which arrays and objects stand for those among the arguments. 0 when left out.
   */
  inAxes?: MapAxes;
  /**
   * Where in the results the axis of the calls is; null for what is the same in all calls. One for
   * all, or an array or object as the result is. 0 when left out.
   */
  outAxes?: MapAxes;
}

const VMAP: Known<VmapOptions> = { inAxes: true, outAxes: true };

/**
 * Maps a function over an axis of its tensors and stacks the results, without a loop, as `jax.vmap` and
 * `torch.vmap` do. The function runs once, on tensors without that axis; each op that it calls is then
 * one of all calls.
 *
 * States and tensors from outside are the same in all calls, and so are draws such as `uniformAt`, unless
 * their step differs. In it and around it `grad` and `vmap` work, as `compile` does around it: of a
 * function that gives gradients it makes those of each example.
 * @param fn takes and returns tensors, and arrays and plain objects of them. It assigns no state, reads
 * nothing, and draws nothing without a seed.
 * @throws ShapeError for axes that are not there or differ in size; GradusError where no argument has
 * one, for other results of `fn`, and for an op that has no batching rule. The function that it gives
 * throws them.
 * @example
 * const x = tensor([[1, 2], [3, 4]]);
 * const y = tensor([1, 10]);
 * await vmap(dot, { inAxes: [0, null] })(x, y).toArray(); // [21, 43]
 * const slope = (v: Tensor) => grad(sum(square(v)), [v])[0];
 * await vmap(slope)(x).toArray(); // [[2, 4], [6, 8]]
 */
export function vmap<Args extends readonly unknown[], R>(
  fn: (...args: Args) => R,
  options: VmapOptions = {},
  ...surplus: never[]
): (...args: Args) => R {
  checkOptions("vmap", options, VMAP, surplus);
  checkFunctions("vmap", { fn });
  const { inAxes = 0, outAxes = 0 } = options;
  const [into, out]: NamedAxes[] = [
    ["inAxes", inAxes],
    ["outAxes", outAxes],
  ];
  checkAxes(into);
  checkAxes(out);
  return (...args) => {
    const { graph, given } = oneCall(args, into);
    const { result, assignments } = traceFunction<State, R>(() => fn(...given), "mapped");
    checkSynchronous("vmap", result);
    if (assignments.length > 0) throw assigned(assignments[0].state);
    return allResults(graph, result, out);
  };
}

/** The arguments of one call, in a graph that knows what they are in all. */
function oneCall<Args extends readonly unknown[]>(
  args: Args,
  axes: NamedAxes,
): { graph: MappedGraph; given: Args } {
  const graphs: MappedGraph[] = [];
  const whatIs = (path: readonly string[]) =>
    path.length > 0 ? `argument ${path.join(".")}` : "the arguments";
  const given = replaceTensors(args, axes, whatIs, (x, axis, what) => {
    checkAxis(axis as number, x.shape, what);
    const all = moveAxis(x, axis as number, 0);
    const [count] = all.shape;
    if (graphs.length === 0) graphs.push(new MappedGraph(count));
    const [graph] = graphs;
    if (count === graph.count) return graph.standIn(all);
    throw new ShapeError(
      `vmap: ${what} has ${count} along axis ${axis}, one before it ${graph.count}; expected as many`,
    );
  });
  if (graphs.length > 0) return { graph: graphs[0], given };
  throw new GradusError(
    "vmap: no tensor to map; expected one among the arguments, and an axis of it",
  );
}

/** What a function gives in all calls, of what it gives in one. */
function allResults<R>(graph: MappedGraph, result: R, axes: NamedAxes): R {
  const whatIs = (path: readonly string[]) => ["the result", ...path].join(".");
  return replaceTensors(
    result,
    axes,
    whatIs,
    (x, axis, what) => {
      const [value] = graph.valuesOf([x]);
      if (axis !== null) {
        const y = inAll(value, graph.count);
        checkAxis(axis, y.shape, what);
        return moveAxis(y, 0, axis);
      }
      if (value.isShared) return x;
      throw new GradusError(
        `vmap: outAxes null for ${what}, which differs from call to call; expected an axis for it`,
      );
    },
    true,
  );
}

function assigned({ name }: State): GradusError {
  return new GradusError(
    `vmap: fn assigns "${name}"; expected a function that assigns no state. Return what it would assign`,
  );
}
