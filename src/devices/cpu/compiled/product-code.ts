import type { Group } from "../../../engine/fusion.ts";
import { FunctionWriter, I32 } from "./assembler.ts";
import { Addresses, GroupElements } from "./elements.ts";
import { type GroupCode, type GroupContext, pointersOf } from "./group-code.ts";
import { LaneWriter } from "./lane-scalars.ts";
import { type ProductShape, scratchBytes, type TileVector, writeProduct } from "./product.ts";
import { VectorBody } from "./vector-body.ts";

/** The code of products of matrices, and of what follows them. */
export function productCode(context: GroupContext, group: Group): GroupCode {
  const { schedule, locations, isFused } = context;
  const { program, homes } = schedule;
  const [anchor] = group.anchors;
  const { inputs, shape } = program.steps[anchor];
  const [batch, m, n] = shape;
  const product = { batch, m, n, k: program.steps[inputs[0]].shape[2] };
  const steps = pointersOf(context, group);
  const f = new FunctionWriter([...steps, 0].map(() => I32));
  const [a, b] = inputs.map((input) => {
    const { root, view } = locations[input];
    return { ...view, pointer: steps.indexOf(homes.get(root) ?? root) };
  });
  const pointers = { a: a.pointer, b: b.pointer, scratch: steps.length };
  const store = (tile: readonly TileVector[]) => storeTile(context, group, f, steps, product, tile);
  writeProduct(f, { shape: product, a, b, isFused, pointers, store });
  return { function: f, steps, scratch: scratchBytes(product) };
}

/** Computes what follows a tile's sums, and stores it. */
function storeTile(
  { schedule, isFused }: GroupContext,
  group: Group,
  f: FunctionWriter,
  steps: readonly number[],
  { batch, m, n }: ProductShape,
  tile: readonly TileVector[],
): void {
  const [anchor] = group.anchors;
  const body = new VectorBody(f, isFused);
  const writer = new LaneWriter(body);
  const addresses = new Addresses(f, schedule, new Map(steps.map((step, i) => [step, i])));
  const vectors = tile.map(({ at, down, right, sums, lanes }) => {
    const elements = new GroupElements(schedule, group, f, writer, addresses, lanes);
    elements.anchors.set(anchor, body.local(sums));
    const position = elements.position(
      [batch, m, n],
      [
        { local: at[0], size: batch },
        { local: at[1], size: m, add: down },
        { local: at[2], size: n, add: right, isByLane: true },
      ],
    );
    return { elements, ...elements.results(position) };
  });
  for (const { elements } of vectors) elements.start();
  for (const { roots, store } of vectors) store(body.emit(roots));
}
