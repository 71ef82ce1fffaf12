import type { NumericArray } from "../core/dtype.ts";
import type { Storage } from "../graph/device.ts";
import type { Node } from "../graph/node.ts";
import { State } from "../graph/state.ts";
import type { EngineDevice } from "./device.ts";
import type { Session } from "./session.ts";

/** How often it is tried while others go on working with the device. */
const TRIES = 3;

/** A value that a device holds; a collected node's is freed when that is told. */
interface HeldValue {
  readonly storage: Storage;
  readonly node: Node | undefined;
  /** How often the state whose value it is was assigned. */
  readonly version: number | undefined;
}

/**
 * Has a device go on with another session, to which all values that it holds are copied. Nothing
 * changes until all have been read, and then everything does before anybody else has a turn.
 * @returns false where a value is spoiled, or others do not leave the device alone meanwhile.
 */
export async function exchange(device: EngineDevice, session: Session): Promise<boolean> {
  for (let i = 0; i < TRIES; i++) {
    const before = heldBy(device);
    if (before.some(({ storage }) => storage.failure)) return false;
    const values = await valuesOf(
      device,
      before.flatMap(({ node }) => node ?? []),
    );
    const now = heldBy(device);
    const isSame = (one: HeldValue, k: number) =>
      one.storage === before[k].storage && one.version === before[k].version;
    if (now.length !== before.length || !now.every(isSame)) continue;
    handOver(device, now, values);
    device.session = session;
    guardStates(device, now);
    return true;
  }
  return false;
}

/** Copies values to the host that are not there anyway. */
export async function valuesOf(
  device: EngineDevice,
  nodes: readonly Node[],
): Promise<NumericArray[]> {
  const there = nodes.map(({ host, lineage }) => {
    return host ?? (ArrayBuffer.isView(lineage) ? (lineage as NumericArray) : null);
  });
  const wanted = nodes.filter((_, i) => !there[i]);
  const read = (await device.readNow(wanted, "exchange")).values();
  return there.map((values) => values ?? (read.next().value as NumericArray));
}

function heldBy({ holders }: EngineDevice): HeldValue[] {
  return [...(holders ?? [])].map(([storage, ref]) => {
    const node = ref.deref();
    return { storage, node, version: (node?.owner as State | null)?.version };
  });
}

/** Lets nodes have their values on the host, and frees what they have on the device. */
function handOver(
  device: EngineDevice,
  held: readonly HeldValue[],
  values: readonly NumericArray[],
): void {
  const rest = values.values();
  for (const { storage, node } of held) {
    if (node) {
      node.surrender();
      node.host = rest.next().value as NumericArray;
      node.lineage = null;
      device.release(storage);
    } else {
      // The collector tells of it later, when another session is there.
      device.session.release(storage);
      Object.defineProperty(storage, "life", { value: { isOver: true } });
    }
  }
  device.session.trim?.();
}

/** Goes on with the journal where the session can be lost, and lets it rest where not. */
function guardStates({ journal, session, states }: EngineDevice, held: readonly HeldValue[]): void {
  states.clear();
  if (!session.life) {
    journal?.sleep();
    return;
  }
  for (const { node } of held) {
    if (node?.owner instanceof State) states.add(new WeakRef(node.owner));
  }
  journal?.wake();
}
