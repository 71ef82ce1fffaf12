import { UsageError } from "./arguments.ts";

/**
 * Runs a command: options are read from the command line and handed to `main`. Errors become one line
 * and an exit code, 2 for wrong arguments.
 */
export async function run<O extends { help: boolean }>(
  help: string,
  readOptions: (args: string[]) => O,
  main: (options: O) => Promise<void>,
): Promise<void> {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options.help) console.log(help);
    else await main(options);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

/** Aborts at the first Ctrl-C; a second one ends the process at once. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => controller.abort());
  }
  return controller.signal;
}
