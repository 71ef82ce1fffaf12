import type { AdapterFacts, DoctorReport, Line, Preset } from "./report.ts";

/** What a page tells the worker in which the doctor works. */
export type DoctorCommand =
  | { readonly kind: "look" }
  | { readonly kind: "start"; readonly preset: Preset; readonly only?: string }
  | { readonly kind: "stop" };

/** What the worker tells the page. */
export type DoctorEvent =
  | { readonly kind: "adapter"; readonly facts: AdapterFacts | null; readonly why: string }
  | { readonly kind: "progress"; readonly text: string; readonly share: number }
  | { readonly kind: "line"; readonly line: Line }
  | { readonly kind: "report"; readonly report: DoctorReport }
  | { readonly kind: "failed"; readonly message: string };
