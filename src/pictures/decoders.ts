import { GradusError } from "../core/errors.ts";
import { nodeModule } from "../core/node-module.ts";
import { type DecodeJob, decodePicture, type PictureFit } from "./decode-picture.ts";

/** Decodes pictures to RGBA bytes. */
export interface Decoder {
  decode(job: DecodeJob): Promise<ArrayLike<number>>;
  end(): void;
}

/** More workers than this are not started, and a core is left to the page. */
const MOST = 4;

/** Gives what decodes pictures here: workers in a page, the page itself where it may have none, `sharp` in Node. */
export async function startDecoder(op: string): Promise<Decoder> {
  if (typeof createImageBitmap !== "function") return sharpDecoder(op);
  const cores = globalThis.navigator?.hardwareConcurrency ?? 2;
  const count = Math.min(MOST, Math.max(1, cores - 1));
  const workers = Array.from({ length: count }, () => DecodeWorker.start());
  return new WorkerDecoder(workers);
}

/** What a worker is sent and answers. */
interface Answer {
  readonly id?: number;
  readonly data?: Uint8ClampedArray<ArrayBuffer>;
  readonly message?: string;
}

const SCRIPT = () => `const decode = ${decodePicture};
self.onmessage = async ({ data: { id, ...job } }) => {
  try {
    const data = await decode(job);
    self.postMessage({ id, data }, [data.buffer]);
  } catch (error) {
    self.postMessage({ id, message: String(error?.message ?? error) });
  }
};`;

/** A worker that decodes; those of its jobs that it never answers are done by the page. */
class DecodeWorker {
  /** Jobs that are under way, by their numbers. */
  readonly jobs = new Map<number, (answer: Answer | null) => void>();
  readonly #worker: Worker;
  isBroken = false;
  #last = 0;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const settle = this.jobs.get(data.id as number);
      this.jobs.delete(data.id as number);
      settle?.(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.end();
    };
  }

  /** Starts a worker; null where the page may have none. */
  static start(): DecodeWorker | null {
    try {
      const url = URL.createObjectURL(new Blob([SCRIPT()], { type: "text/javascript" }));
      return new DecodeWorker(new Worker(url, { name: "gradus pictures" }));
    } catch {
      return null;
    }
  }

  /** Gives what the worker answers; null where it will never answer. */
  ask(job: DecodeJob): Promise<Answer | null> {
    if (this.isBroken) return Promise.resolve(null);
    const id = ++this.#last;
    this.#worker.postMessage({ id, ...job });
    return new Promise((settle) => this.jobs.set(id, settle));
  }

  end(): void {
    this.isBroken = true;
    this.#worker.terminate();
    for (const settle of this.jobs.values()) settle(null);
    this.jobs.clear();
  }
}

class WorkerDecoder implements Decoder {
  readonly #workers: readonly DecodeWorker[];

  constructor(workers: readonly (DecodeWorker | null)[]) {
    this.#workers = workers.filter((worker) => worker !== null);
  }

  async decode(job: DecodeJob): Promise<ArrayLike<number>> {
    const able = this.#workers.filter(({ isBroken }) => !isBroken);
    const idlest = able.sort((a, b) => a.jobs.size - b.jobs.size)[0];
    const answer = idlest ? await idlest.ask(job) : null;
    if (answer === null) return decodePicture(job);
    if (answer.data) return answer.data;
    throw new Error(answer.message);
  }

  end(): void {
    for (const worker of this.#workers) worker.end();
  }
}

/** What is used of `sharp`. */
interface SharpPicture {
  rotate(): SharpPicture;
  resize(options: object): SharpPicture;
  toColourspace(space: string): SharpPicture;
  ensureAlpha(): SharpPicture;
  raw(options: object): SharpPicture;
  toBuffer(): Promise<Uint8Array>;
}
type Sharp = (bytes: Uint8Array) => SharpPicture;

const FITS: Readonly<Record<PictureFit, string>> = {
  cover: "cover",
  contain: "contain",
  fill: "fill",
};

async function sharpDecoder(op: string): Promise<Decoder> {
  const sharp = await loadSharp(op);
  const background = { r: 0, g: 0, b: 0, alpha: 0 };
  return {
    async decode({ blob, width, height, fit }) {
      const bytes = new Uint8Array(await blob.arrayBuffer());
      return sharp(bytes)
        .rotate() // as EXIF data say
        .resize({ width, height, fit: FITS[fit], background })
        .toColourspace("srgb")
        .ensureAlpha()
        .raw({ depth: "uchar" })
        .toBuffer();
    },
    end() {},
  };
}

/** The package's name, in a variable so that no bundler looks for it. */
const PACKAGE = "sharp";

async function loadSharp(op: string): Promise<Sharp> {
  if (nodeModule("fs")) {
    try {
      const loaded = await import(/* @vite-ignore */ /* webpackIgnore: true */ PACKAGE);
      return loaded.default as Sharp;
    } catch (error) {
      if ((error as { code?: string }).code !== "ERR_MODULE_NOT_FOUND") throw error;
    }
  }
  throw new GradusError(
    `${op}: nothing that decodes pictures; expected a page, a worker, or the package ${PACKAGE} in Node. ` +
      `Install it with npm install ${PACKAGE}, or give the option decode`,
  );
}
