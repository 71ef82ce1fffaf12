import { GradusError } from "../core/errors.ts";

/**
 * Offers bytes as a file for download, in a page.
 * @throws GradusError outside of a page, as in a worker or in Node.
 */
export function download(bytes: Uint8Array<ArrayBuffer>, name: string): void {
  if (typeof document === "undefined") {
    throw new GradusError("download: no document; expected a page. Use fileStore in Node");
  }
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser may begin to read it later
}
