import { expect, test } from "vitest";
import { formats, fuzz } from "../support/reader-fuzz.ts";

const all = await formats();

test.each(Object.keys(all))(
  "damaged files of %s are read or refused in few words",
  async (name) => {
    const { read, refused } = await fuzz(name, all[name], 1, 300);
    expect(read + refused).toBe(300);
    expect(refused).toBeGreaterThan(100); // most damage is noticed
    expect(read).toBeGreaterThan(0); // and not all of it does harm
  },
);
