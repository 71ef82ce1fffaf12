import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { CHECKED_STEPS } from "../workloads/index.ts";
import { firstBatches, initialLayers, type Network } from "../workloads/networks.ts";
import script from "./numpy.py?raw";
import { NOTHING, type Peer, type Prepared, peerOf } from "./peer.ts";

interface Answer {
  readonly version?: string;
  readonly values?: number[];
  readonly error?: string;
}

/** One thread of whatever NumPy multiplies with, such as OpenBLAS. */
const ONE_THREAD = { OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };

/** NumPy of the Python that is there, in a process of its own. */
export async function createNumpy(): Promise<Peer> {
  const python = new Python();
  const { version } = await python.started;
  return peerOf(`NumPy ${version}`, {
    ...NOTHING,
    matmul: ({ task: { m, k, n, transposed }, inputs }) => {
      const { a, b } = inputs();
      const shapes = {
        a: transposed === "a" ? [k, m] : [m, k],
        b: transposed === "b" ? [n, k] : [k, n],
      };
      return prepared(python, { kind: "matmul", transposed, ...shapes }, [a, b]);
    },
    train: ({ task: { network } }) => net(python, "train", network),
    infer: ({ task: { network } }) => net(python, "infer", network),
  });
}

function net(python: Python, kind: "train" | "infer", network: Network): Promise<Prepared> {
  const batches = firstBatches(network, kind === "infer" ? 1 : undefined);
  const arrays = [
    ...initialLayers(network).map(({ weight }) => weight), // biases are zeros
    ...batches.flatMap(({ images, oneHot }) => [images, oneHot]),
  ];
  const task = { ...network, kind, checked: CHECKED_STEPS, batches: batches.length };
  return prepared(python, task, arrays);
}

async function prepared(
  python: Python,
  task: object,
  arrays: readonly (Float32Array | Int32Array)[],
): Promise<Prepared> {
  await python.ask(task, arrays);
  return {
    result: async () => (await python.ask({ kind: "result" })).values ?? [],
    run: async (times) => {
      await python.ask({ kind: "run", times });
    },
    dispose: () => {},
  };
}

/** The process of `numpy.py`. */
class Python {
  readonly started: Promise<Answer>;
  readonly #process: ChildProcess;
  #settle: (answer: Answer) => void = () => {};
  /** Why nothing answers any more. */
  #end: Answer | null = null;

  constructor() {
    this.#process = spawn("python3", ["-c", script], {
      env: { ...process.env, ...ONE_THREAD },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { stdin, stdout, stderr } = this.#process;
    stdin?.on("error", () => {}); // the process's end tells why
    let complaint = "";
    stderr?.on("data", (text) => {
      complaint += text;
    });
    const fail = (why: string) => {
      const last = complaint.trim().split("\n").pop();
      this.#end ??= { error: last || why };
      this.#settle(this.#end);
    };
    createInterface({ input: stdout as NodeJS.ReadableStream }).on("line", (line) =>
      this.#settle(JSON.parse(line) as Answer),
    );
    this.#process.on("error", ({ message }) => fail(message));
    this.#process.on("close", () => fail("python3 ended"));
    process.on("exit", () => this.#process.kill("SIGKILL"));
    this.started = this.#next();
  }

  /** Says something and waits for the answer. */
  ask(task: object, arrays: readonly (Float32Array | Int32Array)[] = []): Promise<Answer> {
    const answer = this.#next();
    const { stdin } = this.#process;
    stdin?.write(`${JSON.stringify(task)}\n`);
    for (const { buffer, byteOffset, byteLength } of arrays) {
      stdin?.write(new Uint8Array(buffer, byteOffset, byteLength));
    }
    return answer;
  }

  async #next(): Promise<Answer> {
    const answer = await new Promise<Answer>((resolve) => {
      this.#settle = resolve;
      if (this.#end) resolve(this.#end);
    });
    if (answer.error === undefined) return answer;
    throw new Error(`numpy: ${answer.error}`);
  }
}
