/**
 * Numbers that threads share, by their places. `NEXT` holds the number of the job above eight bits that
 * say how many of its parts nobody has begun, so that one exchange takes a part of the job that was
 * seen and of no other.
 */
export const SHARED_WORDS = {
  NEXT: 0,
  /** Parts of the job that are not done. */
  LEFT: 1,
  /** How often messages were sent to all threads. */
  MAIL: 2,
  /** The job: of which plan, which of its tasks, on which table, of how many units, in how many parts. */
  PLAN: 3,
  TASK: 4,
  TABLE: 5,
  UNITS: 6,
  PARTS: 7,
  /** Whether a part has failed. */
  FAILED: 8,
  /** Parts that others than the main thread have done, ever. */
  DONE: 9,
} as const;

/** How long a thread without work looks for some before it sleeps, in milliseconds. */
export const SPIN = 0.02;

/**
 * What a thread runs: text, so that nothing is loaded and every bundler leaves it alone, in browsers and
 * in Node. It sleeps until a job comes, computes parts of it while there are any, and goes back to
 * its event loop for messages: modules of plans to keep, and numbers of plans to forget.
 */
export const THREAD_SCRIPT = `
const port = typeof require === "function" ? require("worker_threads").parentPort : self;
const plans = new Map();
let words, memory, thread, mail;
const host = () => { throw new Error("not on this thread"); };
const keep = ([plan, module]) => {
  const imports = { e: { m: memory, h: host } };
  if (module) plans.set(plan, new WebAssembly.Instance(module, imports).exports);
  else plans.delete(plan);
};
const work = () => {
  let since = performance.now();
  for (;;) {
    const next = Atomics.load(words, ${SHARED_WORDS.NEXT});
    if (Atomics.load(words, ${SHARED_WORDS.MAIL}) !== mail) return;
    const part = (next & 255) - 1;
    if (part >= 0) {
      const run = plans.get(words[${SHARED_WORDS.PLAN}])?.["p" + words[${SHARED_WORDS.TASK}]];
      const table = words[${SHARED_WORDS.TABLE}];
      const units = words[${SHARED_WORDS.UNITS}];
      const parts = words[${SHARED_WORDS.PARTS}];
      if (!run || Atomics.compareExchange(words, ${SHARED_WORDS.NEXT}, next, next - 1) !== next) continue;
      try {
        run(table, Math.floor((part * units) / parts), Math.floor(((part + 1) * units) / parts), thread);
      } catch {
        Atomics.store(words, ${SHARED_WORDS.FAILED}, 1);
      }
      Atomics.add(words, ${SHARED_WORDS.DONE}, 1);
      if (Atomics.sub(words, ${SHARED_WORDS.LEFT}, 1) === 1) Atomics.notify(words, ${SHARED_WORDS.LEFT});
      since = performance.now();
    } else if (performance.now() - since > ${SPIN}) {
      Atomics.wait(words, ${SHARED_WORDS.NEXT}, next);
      since = performance.now();
    }
  }
};
port.onmessage = ({ data }) => {
  if (data.words) {
    ({ words, memory, thread } = data);
    port.postMessage("ready");
  }
  mail = data.mail;
  data.plans.forEach(keep);
  work();
};
`;
