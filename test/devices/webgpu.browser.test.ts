import { expect, test } from "vitest";

test("there is a WebGPU adapter", async () => {
  expect(await navigator.gpu?.requestAdapter()).toBeTruthy();
});
