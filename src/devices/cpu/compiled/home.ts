import { DTYPES, type DType } from "../../../core/dtype.ts";
import { NO_DATA, type View } from "../layout.ts";
import type { Heap } from "./heap.ts";

/** Values in memory: those of a source, of an output or between groups. */
export class Home {
  address = -1;
  readonly #views: View[] = [];
  #buffer: ArrayBuffer | null = null;

  /** @param place its number among the homes of a plan. */
  constructor(
    readonly heap: Heap,
    readonly place: number,
    readonly dtype: DType,
    readonly size: number,
  ) {}

  get bytes(): number {
    return this.size * DTYPES[this.dtype].array.BYTES_PER_ELEMENT;
  }

  /** Sees the values through a view, whose array changes when they move. */
  see(view: View): View {
    this.#views.push(view);
    return view;
  }

  /** Has all views see what lies at an address; says whether it is another one. */
  move(address: number): boolean {
    const isOther = this.address !== address;
    this.address = address;
    if (this.#views.length > 0 && (isOther || this.#buffer !== this.heap.buffer)) {
      const data = this.heap.view(this.dtype, address, this.size);
      for (const view of this.#views) view.data = data;
      this.#buffer = this.heap.buffer;
    }
    return isOther;
  }

  /** Forgets the memory, so that it can be collected. */
  leave(): void {
    for (const view of this.#views) view.data = NO_DATA;
    this.#buffer = null;
    this.address = -1;
  }
}
