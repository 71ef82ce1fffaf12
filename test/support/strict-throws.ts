import { chai } from "vitest";

/** What undefined counts as where it is thrown; no text is in it. */
const nothing = () => new Error("");

// `expect(f).toThrow("text")` passes where f throws undefined, as `throw wrong()` does when `wrong`
// forgets to return its error; so does that of a promise which rejects with it. Here it fails.
chai.use(({ Assertion }, { flag, overwriteMethod }) => {
  const strict = (original: (expected?: unknown) => void) =>
    function (this: object, expected?: unknown) {
      const given: unknown = flag(this, "object");
      const isText = typeof expected === "string" || expected instanceof RegExp;
      if (isText && flag(this, "promise") === "rejects" && given === undefined) {
        flag(this, "object", nothing());
      } else if (isText && typeof given === "function") {
        flag(this, "object", () => {
          try {
            return given();
          } catch (error) {
            throw error ?? nothing();
          }
        });
      }
      return original.call(this, expected);
    };
  for (const name of ["toThrow", "toThrowError"]) {
    overwriteMethod(Assertion.prototype, name, strict);
  }
});
