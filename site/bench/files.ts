import { parseReport, type Report, reportFileName } from "../../bench/harness/report.ts";
import { element } from "../shell/dom.ts";

/** Offers a report as a file of the browser's. */
export function download(report: Report): void {
  const blob = new Blob([JSON.stringify(report, null, 2)], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = reportFileName(report);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Calls back with each report that is chosen from a file, or with what is wrong with the file. */
export function onReportChosen(
  chosen: (report: Report, name: string) => void,
  failed: (message: string) => void,
): void {
  const input = element("earlier", HTMLInputElement);
  input.addEventListener("change", async () => {
    const file = input.files?.[0];
    if (!file) return;
    try {
      chosen(parseReport(await file.text()), file.name);
    } catch (error) {
      failed(`${file.name}: ${(error as Error).message}`);
    }
    input.value = "";
  });
}
