/** Formulas of x and y, read by a small grammar: nothing that is typed is ever run. */

const FUNCTIONS = ["sin", "cos", "exp", "log", "sqrt", "abs"] as const;
const OPERATIONS = ["+", "-", "*", "/", "^"] as const;

/** The longest formula, in characters. */
export const LONGEST = 500;

/** A formula as a tree. */
export type Formula =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "variable"; readonly name: "x" | "y" }
  | { readonly kind: "negative"; readonly of: Formula }
  | { readonly kind: "function"; readonly name: (typeof FUNCTIONS)[number]; readonly of: Formula }
  | {
      readonly kind: "operation";
      readonly name: (typeof OPERATIONS)[number];
      readonly left: Formula;
      readonly right: Formula;
    };

const TOKEN = /\s*(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+|[a-z]+|\*\*|[-+*/^()]|$|.)/iy;

/**
 * Reads a formula: sums, products and powers as one writes them, `2x` for 2 times x, and sin, cos, exp,
 * log, sqrt, abs; at most `LONGEST` characters.
 * @throws Error that says where it is none.
 */
export function parseFormula(text: string): Formula {
  if (text.length > LONGEST) {
    throw new Error(`${text.length} characters; expected a formula of at most ${LONGEST}`);
  }
  const tokens: { readonly word: string; readonly at: number }[] = [];
  TOKEN.lastIndex = 0;
  for (;;) {
    const at = TOKEN.lastIndex;
    const word = TOKEN.exec(text)?.[1] ?? "";
    tokens.push({ word: word === "**" ? "^" : word.toLowerCase(), at });
    if (word === "") break;
  }
  let next = 0;
  const peek = () => tokens[next].word;
  const wrong = (rule: string) => {
    const { word, at } = tokens[next];
    return new Error(`${word ? `“${word}” at ${at + 1}` : "the end"}; expected ${rule}`);
  };
  const expectWord = (word: string) => {
    if (peek() !== word) throw wrong(`“${word}”`);
    next++;
  };
  let depth = 0;

  // sum := product (("+" | "-") product)*
  const sum = (): Formula => {
    let left = product();
    while (peek() === "+" || peek() === "-") {
      const name = tokens[next++].word as "+" | "-";
      left = { kind: "operation", name, left, right: product() };
    }
    return left;
  };
  // product := signed (("*" | "/") signed | power)*
  const product = (): Formula => {
    let left = signed();
    for (;;) {
      const word = peek();
      if (word === "*" || word === "/") {
        next++;
        left = { kind: "operation", name: word, left, right: signed() };
      } else if (/^([a-z]|\()/.test(word)) {
        left = { kind: "operation", name: "*", left, right: power() };
      } else return left;
    }
  };
  // signed := "-" signed | power, so that −x² is −(x²)
  const signed = (): Formula => {
    if (++depth > 100) throw new Error("too deep; expected a shorter formula");
    try {
      const word = peek();
      if (word !== "+" && word !== "-") return power();
      next++;
      const of = signed();
      return word === "-" ? { kind: "negative", of } : of;
    } finally {
      depth--;
    }
  };
  // power := atom ("^" signed)?
  const power = (): Formula => {
    const left = atom();
    if (peek() !== "^") return left;
    next++;
    return { kind: "operation", name: "^", left, right: signed() };
  };
  const atom = (): Formula => {
    const word = peek();
    const wanted = ["x", "y", "pi", "(", ...FUNCTIONS];
    const isNumber = /^[\d.]/.test(word) && Number.isFinite(Number(word));
    if (!isNumber && !wanted.includes(word)) {
      throw wrong(`x, y, a number, pi, ${FUNCTIONS.join(", ")} or “(”`);
    }
    next++;
    if (isNumber) return { kind: "number", value: Number(word) };
    if (word === "x" || word === "y") return { kind: "variable", name: word };
    if (word === "pi") return { kind: "number", value: Math.PI };
    if (word === "(") {
      const inner = sum();
      expectWord(")");
      return inner;
    }
    expectWord("(");
    const of = sum();
    expectWord(")");
    return { kind: "function", name: word as (typeof FUNCTIONS)[number], of };
  };
  const formula = sum();
  if (peek() !== "") throw wrong("an operation or the end");
  return formula;
}
