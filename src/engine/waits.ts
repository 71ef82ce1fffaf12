import { postorder } from "../core/postorder.ts";
import type { Fusion, Group } from "./fusion.ts";

/** How many groups are looked at for a dependence; beyond them there is taken to be one. */
const LOOK_LIMIT = 256;

/**
 * Which groups must run before which. Each has a rank above those of all that it waits for, so that
 * most questions are answered by two ranks.
 */
export class Waits {
  readonly #fusion: Fusion;
  readonly #ranks = new Map<Group, number>();
  /** Group → groups that must run before it though it reads nothing of them, and the other way. */
  readonly #earlier = new Map<Group, Set<Group>>();
  readonly #later = new Map<Group, Set<Group>>();

  /** @param fusion whose groups come behind all that they read. */
  constructor(fusion: Fusion) {
    this.#fusion = fusion;
    for (const group of fusion.groups) this.#ranks.set(group, this.#least(group));
  }

  /** The groups that must have run before a group. */
  before(group: Group): Group[] {
    return [...new Set([...this.#fusion.sources(group), ...(this.#earlier.get(group) ?? [])])];
  }

  /** Takes up a group, or one that stands in the place of others; what waits for it comes later. */
  add(group: Group, least = 0): void {
    this.#ranks.set(group, Math.max(least, this.#least(group)));
    this.#raise(group);
  }

  /** Takes up what a group was joined to become. */
  join(first: Group, joined: Group): void {
    this.add(joined, this.#rank(first));
  }

  /** Lets a group run behind others. */
  wait(group: Group, others: readonly Group[]): void {
    for (const other of others) {
      this.#earlier.set(group, (this.#earlier.get(group) ?? new Set()).add(other));
      this.#later.set(other, (this.#later.get(other) ?? new Set()).add(group));
    }
    this.add(group, this.#rank(group));
  }

  /** Whether a group waits for another, directly or not; never false where it does. */
  dependsOn(group: Group, on: Group): boolean {
    const least = this.#rank(on);
    const open = [group];
    const seen = new Set(open);
    for (let next = open.pop(); next; next = open.pop()) {
      if (next === on || seen.size > LOOK_LIMIT) return true;
      if (this.#rank(next) <= least) continue;
      for (const other of this.before(next)) {
        if (seen.has(other)) continue;
        seen.add(other);
        open.push(other);
      }
    }
    return false;
  }

  /** The groups, each behind all that it waits for. */
  sorted(): Group[] {
    const groups = [...this.#fusion.groups].sort((a, b) => a.outputs[0] - b.outputs[0]);
    return [...postorder(groups, (group) => this.before(group))];
  }

  #rank(group: Group): number {
    return this.#ranks.get(group) ?? 0;
  }

  /** The lowest rank above those of what a group waits for. */
  #least(group: Group): number {
    return Math.max(0, ...this.before(group).map((other) => this.#rank(other) + 1));
  }

  #raise(from: Group): void {
    const open = [from];
    for (let group = open.pop(); group; group = open.pop()) {
      const least = this.#rank(group) + 1;
      for (const other of [...this.#fusion.consumers(group), ...(this.#later.get(group) ?? [])]) {
        if (this.#rank(other) >= least) continue;
        this.#ranks.set(other, least);
        open.push(other);
      }
    }
  }
}
