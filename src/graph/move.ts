import { checkSurplus } from "../core/check.ts";
import type { DType } from "../core/dtype.ts";
import { DTypeError, GradusError } from "../core/errors.ts";
import { checkDevice } from "./default-device.ts";
import type { Device } from "./device.ts";
import { Node } from "./node.ts";
import type { State } from "./state.ts";
import { sourceTensor, type Tensor } from "./tensor.ts";

/** What `to` of tensors, modules and optimizers does: loaded when it is called first. */
export interface Move {
  copyTo(x: Tensor, device: Device, surplus: readonly unknown[]): Promise<Tensor>;
  moveStates(states: Iterable<State>, device: Device, surplus: readonly unknown[]): Promise<void>;
}

/** Begins a call of `to`; `isTraced` says whether that was in a function that is being compiled. */
export function beginMove(isTraced: boolean): Move {
  if (!isTraced) return { copyTo, moveStates };
  throw new GradusError(
    "to: called in a function that is being compiled; expected no reads there. Call it outside",
  );
}

async function copyTo(x: Tensor, device: Device, surplus: readonly unknown[]): Promise<Tensor> {
  checkTarget(device, surplus);
  const node = x.use();
  const { shape, dtype } = node;
  checkHas(device, dtype, "x");
  if (x.device === device) return x;
  return sourceTensor(device, shape, dtype, await x.device.read(node, "to"));
}

/** Moves states all at once: until the last one's values have arrived, each is where it was. */
async function moveStates(
  states: Iterable<State>,
  device: Device,
  surplus: readonly unknown[],
): Promise<void> {
  checkTarget(device, surplus);
  const moved = [...new Set(states)].filter((state) => state.node.device !== device);
  for (const { name, dtype } of moved) checkHas(device, dtype, `"${name}"`);
  for (const state of moved) state.use(); // what was called before it has run
  const versions = moved.map(({ version }) => version);
  const values = await readStates(moved);
  const nodes = moved.map((state) => {
    const node = new Node(device, state.shape, state.dtype, null, [], {}, true);
    node.host = values.get(state) as Node["host"];
    return node;
  });
  try {
    await arrive(nodes, device);
    for (const state of moved) state.device.catchUp(state.node, true);
    const changed = moved.find(({ version }, i) => version !== versions[i]);
    if (changed) throw assignedMeanwhile(changed);
  } catch (error) {
    for (const node of nodes) node.retire("a state that was not moved");
    throw error;
  }
  moved.forEach((state, i) => {
    state.move(nodes[i]);
  });
}

function checkTarget(device: Device, surplus: readonly unknown[]): void {
  checkSurplus("to(device)", surplus);
  checkDevice("to", device);
  device.check("to");
}

function checkHas({ dtypes, kind }: Device, dtype: DType, what: string): void {
  if (dtypes.has(dtype)) return;
  const those = `${[...dtypes].join(", ")}, which ${kind} has`;
  throw new DTypeError(`to: ${what} has dtype ${dtype}; expected one of ${those}`);
}

function assignedMeanwhile({ name }: State): GradusError {
  return new GradusError(
    `to: "${name}" was assigned while it was moved; expected no steps meanwhile. Wait for them first`,
  );
}

/** Reads states, those of one device together. */
async function readStates(states: readonly State[]): Promise<Map<State, Node["host"]>> {
  const found = new Map<State, Node["host"]>();
  for (const from of new Set(states.map(({ device }) => device))) {
    const own = states.filter(({ device }) => device === from);
    const nodes = own.map(({ node }) => node);
    const values = await from.readAll(nodes, "to");
    own.forEach((state, i) => {
      found.set(state, values[i]);
    });
  }
  return found;
}

/** Uploads values, and waits until it is known that the device has all of them. */
async function arrive(nodes: readonly Node[], device: Device): Promise<void> {
  const size = ({ host }: Node) => host?.length ?? 0;
  const [least] = [...nodes].sort((a, b) => size(a) - size(b));
  if (!least) return;
  device.evaluate(nodes, "to");
  await device.read(least, "to");
  for (const { storage } of nodes) if (storage?.failure) throw storage.failure;
}
