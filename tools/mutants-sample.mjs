// Plants one of so many faults, by `npm run mutants -- ops --sample 8`. Which are planted depends on
// their place and text alone, so that a second run tries the same ones again.
import { createHash } from "node:crypto";
import { env } from "node:process";

function isChosen({ fileName, location: { start }, replacement }) {
  const place = `${fileName.split("/src/").pop()}:${start.line}:${start.column}:${replacement}`;
  return createHash("sha256").update(place).digest().readUInt32LE() % Number(env.SAMPLE) === 0;
}

const checker = {
  async init() {},
  async check(mutants) {
    const chosen = { status: "passed" };
    const left = { status: "compileError", reason: "not in the sample" };
    return Object.fromEntries(
      mutants.map((mutant) => [mutant.id, isChosen(mutant) ? chosen : left]),
    );
  },
  async group(mutants) {
    return [mutants.map(({ id }) => id)];
  },
};

export const strykerPlugins = [{ kind: "Checker", name: "sample", value: checker }];
