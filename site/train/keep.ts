/** Weights as files. */
import { element } from "../shell/dom.ts";
import type { RunOf } from "../shell/run.ts";
import type job from "./job.ts";

/** Lets the weights be saved and loaded. */
export function keepWeights(runOf: () => RunOf<typeof job> | null, changed: () => void): void {
  const say = (text: string) => {
    element("files-status").textContent = text;
  };
  element("save").addEventListener("click", async () => {
    try {
      const bytes = await runOf()?.save();
      if (!bytes) return;
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
      link.download = "gradus-train.safetensors";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      say(`Saved ${bytes.length.toLocaleString("en")} bytes.`);
    } catch (error) {
      say((error as Error).message);
    }
  });
  const input = element("load", HTMLInputElement);
  input.addEventListener("change", async () => {
    const file = input.files?.[0];
    if (!file) return;
    try {
      await runOf()?.load(new Uint8Array(await file.arrayBuffer()));
      say(`Loaded ${file.name}.`);
      changed();
    } catch (error) {
      say(`${file.name}: ${(error as Error).message}`);
    }
    input.value = "";
  });
}
