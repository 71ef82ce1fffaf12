import { getOrInsert } from "../../../core/get-or-insert.ts";
import type { Access } from "./addresses.ts";
import { bytesOfElement } from "./lanes.ts";
import type { Vector, VectorBody } from "./vector-body.ts";

/** Where four by four elements are computed at once: four vectors, each of them one further along an axis. */
export class TurnedTiles {
  readonly #known = new Map<string, readonly Vector[]>();

  /** @param local what counts that axis. */
  constructor(readonly local: number) {}

  /** Whether what is read lies side by side along the axis, and not in a vector. */
  fits({ counts, stride, dtype, isGuarded }: Access): boolean {
    const isApart = Math.abs(stride) > 1 && counts.get(this.local) === 1;
    return isApart && bytesOfElement(dtype) === 4 && !isGuarded;
  }

  /** What one of the four vectors reads: a column of what is loaded by rows. */
  read(body: VectorBody, access: Access, part: number, load: (row: Access) => Vector): Vector {
    const { pointer, counts, values, stride } = access;
    const constant = access.constant - part;
    const key = `${pointer} ${[...counts]} ${values} ${constant} ${stride}`;
    const columns = getOrInsert(this.#known, key, () => {
      const rows = [0, 1, 2, 3].map((lane) =>
        load({ ...access, constant: constant + lane * stride, stride: 1 }),
      );
      const pick = (lanes: readonly number[]) => (a: Vector, b: Vector) =>
        body.shuffle(a, b, lanes);
      const [low, high] = [pick([0, 4, 1, 5]), pick([2, 6, 3, 7])];
      const [first, last] = [pick([0, 1, 4, 5]), pick([2, 3, 6, 7])];
      return [low, high].flatMap((half) => {
        const [a, b] = [half(rows[0], rows[1]), half(rows[2], rows[3])];
        return [first(a, b), last(a, b)];
      });
    });
    return columns[part];
  }
}
