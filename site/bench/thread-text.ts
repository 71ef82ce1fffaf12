import type { Plugin } from "vite";

/**
 * tfjs-wasm hands its threads the text of a function that asks by `typeof` for a variable beside it. A minifier
 * that sees the variable declared leaves the question out, and the threads fail: here it is asked of the
 * global scope, which each of them has.
 */
export function threadText(): Plugin {
  return {
    name: "thread-text",
    apply: "build",
    transform: {
      filter: { id: /tfjs-backend-wasm-threaded-simd\.js/ },
      handler(code) {
        const free = code.replaceAll(/(?<!var )\b_scriptDir\b/g, "globalThis._scriptDir");
        if (free === code)
          this.error("tfjs-wasm: no _scriptDir; expected it in the text for threads");
        return { code: free, map: null };
      },
    },
  };
}
