import type { Callback } from "./callback.ts";
import type { EpochEvent } from "./events.ts";

/**
 * Writes the epochs as comma-separated values: a line of names, then a line for each epoch, the ones
 * before a resumed run among them; lines end with a line feed.
 * @param write told of each line.
 * @example await fit({ ..., callbacks: [csvLog((line) => appendFileSync("run.csv", line))] });
 */
export function csvLog(write: (line: string) => void): Callback {
  let begun = false;
  return {
    onStart() {
      begun = false;
    },
    onEpoch(event, { history }) {
      const lines = begun ? [event] : history;
      if (!begun) write(lineOf(Object.keys(columns(event))));
      begun = true;
      for (const epoch of lines) write(lineOf(Object.values(columns(epoch))));
    },
  };
}

function columns(epoch: EpochEvent): Record<string, number> {
  const { event: _, metrics, validationMetrics, ...numbers } = epoch;
  const held = Object.entries(validationMetrics ?? {});
  const named = Object.fromEntries(held.map(([name, x]) => [`validation ${name}`, x]));
  return { ...numbers, ...metrics, ...named };
}

function lineOf(cells: readonly (string | number)[]): string {
  const quoted = cells.map((cell) => {
    const text = String(cell);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${quoted.join(",")}\n`;
}
