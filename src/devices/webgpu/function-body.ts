import { getOrInsert } from "../../core/get-or-insert.ts";
import { type Body, isByLane, type Term } from "../../forms/indices.ts";
import { type Quotients, writeSum } from "../../forms/wgsl-sum.ts";

/** A name or a literal. */
const SIMPLE = /^(?:[\w.]+|⟨[^⟩]*⟩|bits_to_f32\(\w+\))$/;

/** The statements of one WGSL function; equal expressions get one name. */
export class FunctionBody implements Body<string> {
  readonly #lines: string[] = [];
  readonly #names = new Map<string, string>();
  readonly quotients: Quotients = new Map();

  /** Adds a statement. */
  line(text: string): void {
    this.#lines.push(`  ${text}`);
  }

  /** Gives an expression a name, unless it differs between lanes, which no name would tell. */
  bind(expression: string): string {
    return isByLane(expression) ? expression : this.once(expression, () => expression);
  }

  sum(terms: readonly Term<string>[], constant: number): string {
    return writeSum(this, terms, constant);
  }

  once(key: string, write: () => string): string {
    return getOrInsert(this.#names, key, () => {
      const expression = write();
      return getOrInsert(this.#names, expression, () => {
        if (SIMPLE.test(expression)) return expression;
        const name = `t${this.#lines.length}`;
        this.line(`let ${name} = ${expression};`);
        return name;
      });
    });
  }

  /** Writes the function; without a result it returns nothing. */
  write(head: string, result?: string): string {
    const end = result === undefined ? [] : [`  return ${result};`];
    return [`${head} {`, ...this.#lines, ...end, "}"].join("\n");
  }
}
