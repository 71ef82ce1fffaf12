import { checkFunctions } from "../core/check.ts";
import type { Callback } from "../train/callback.ts";
import type { EpochEvent } from "../train/events.ts";

/**
 * Writes the epochs as comma-separated values: a line of names, then a line for each epoch, the ones
 * before a resumed run among them; lines end with a line feed. A cell is empty where an epoch lacks
 * what another has.
 * @param write told of each line.
 * @example await fit({ ...settings, callbacks: [csvLog((line) => appendFileSync("run.csv", line))] });
 */
export function csvLog(write: (line: string) => void): Callback {
  checkFunctions("csvLog", { write });
  let names: readonly string[] | null = null;
  return {
    onStart() {
      names = null;
    },
    onEpoch(event, { history }) {
      const epochs = names ? [event] : history;
      const all = names ?? [...new Set(history.flatMap(columnNames))];
      if (!names) write(lineOf(all));
      names = all;
      for (const epoch of epochs) {
        const cells = columns(epoch);
        write(lineOf(all.map((name) => cells[name] ?? "")));
      }
    },
  };
}

function columnNames(epoch: EpochEvent): string[] {
  return Object.keys(columns(epoch));
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
