import { readFileSync } from "node:fs";
import { join } from "node:path";
import { transform } from "esbuild";
import type { Browser } from "puppeteer";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../../tools/page.mjs";
import { firstProgram, promised } from "../support/programs.ts";
import { takingAway, type without } from "../support/without.ts";

const root = join(import.meta.dirname, "../..");
const files = new Map<string, string>();
let browser: Browser;

beforeAll(async () => {
  const outDir = join(root, "build/browsers");
  const configFile = join(root, "tools/vite.single.config.ts");
  await build({ root, configFile, logLevel: "error", build: { outDir } });
  files.set("/gradus.min.js", readFileSync(join(outDir, "gradus.min.js"), "utf8"));
  const learn = join(root, "test/fixtures/browser-page/learn.js");
  files.set("/learn.js", readFileSync(learn, "utf8"));
  browser = await launchBrowser();
}, 60_000);
afterAll(() => browser?.close());

const HEAD = '<!doctype html><title>A page</title><link rel="icon" href="data:,">';
const pages: Readonly<Record<string, string>> = {
  "/": `${HEAD}<script type="module" src="/learn.js"></script>`,
  "/first": `${HEAD}<script type="importmap">{ "imports": { "gradus": "/gradus.min.js" } }</script>
    <script type="module">${firstProgram}</script>`,
};

interface Row {
  /** Which browser it is, or what is wrong with it. */
  name: string;
  /** What is taken away before the library loads. */
  take?: (keyof typeof without)[];
  program: "everything" | "product";
  options: object;
  /** Where the page comes from; a secure place when left out. */
  origin?: string;
  headers?: Record<string, string>;
  outcome: object;
}

const learned = { epochs: 50, slope: 6, loss: expect.closeTo(0, 1), alive: true };
const multiplied = { product: [[11]], alive: true };
const onGpu = { device: "webgpu", reason: "asked for" };
const gone =
  "expected one. Restart the browser, use the cpu device, or wait longer by the option timeout";

const rows: Row[] = [
  {
    name: "Chrome as it is",
    program: "everything",
    options: { device: "webgpu" },
    outcome: { ...onGpu, ...learned },
  },
  {
    name: "Chrome 127 to 133",
    take: ["dispose"],
    program: "everything",
    options: { device: "cpu" },
    outcome: { device: "cpu", reason: "asked for", ...learned },
  },
  {
    name: "Chrome 113 to 126",
    take: ["dispose", "info", "features"],
    program: "product",
    options: { device: "webgpu" },
    outcome: { ...onGpu, ...multiplied },
  },
  {
    name: "Chrome 113 to 126, which tells an emulated GPU from a real one",
    take: ["dispose", "info", "features"],
    program: "product",
    options: {},
    outcome: {
      device: "cpu",
      reason: expect.stringMatching(/^the only WebGPU adapter is emulated by the CPU/),
      ...multiplied,
    },
  },
  {
    name: "an adapter that tells nothing of itself",
    take: ["info", "requestAdapterInfo"],
    program: "product",
    options: { device: "webgpu" },
    outcome: { ...onGpu, ...multiplied },
  },
  {
    name: "Safari 26",
    take: ["dispose", "features"],
    program: "product",
    options: { device: "webgpu" },
    outcome: { ...onGpu, ...multiplied },
  },
  {
    name: "Firefox 141",
    take: ["features"],
    program: "product",
    options: { device: "webgpu" },
    outcome: { ...onGpu, ...multiplied },
  },
  {
    name: "a browser without WebGPU",
    take: ["gpu", "dispose"],
    program: "product",
    options: {},
    outcome: { device: "cpu", reason: "navigator.gpu is missing", ...multiplied },
  },
  {
    name: "a browser of the end of 2022",
    take: ["newer", "gpu", "dispose"],
    program: "everything",
    options: {},
    outcome: { device: "cpu", reason: "navigator.gpu is missing", ...learned },
  },
  {
    name: "a browser without WebGPU that is asked for it",
    take: ["gpu"],
    program: "product",
    options: { device: "webgpu" },
    outcome: {
      error:
        "DeviceError: webgpu: navigator.gpu is missing; expected a browser with WebGPU. " +
        "Use the cpu device",
    },
  },
  {
    name: "an insecure origin",
    origin: "http://insecure.example",
    program: "product",
    options: {},
    outcome: {
      device: "cpu",
      reason: "navigator.gpu is missing on an insecure origin",
      ...multiplied,
    },
  },
  {
    name: "a browser that has WebGPU and no adapter",
    take: ["adapter"],
    program: "product",
    options: {},
    outcome: { device: "cpu", reason: "no WebGPU adapter", ...multiplied },
  },
  {
    name: "a browser whose requestAdapter never answers",
    take: ["requestAdapter"],
    program: "product",
    options: { timeout: 100 },
    outcome: { device: "cpu", reason: "requestAdapter gave no answer within 0.1 s", ...multiplied },
  },
  {
    name: "a browser whose requestAdapter never answers, which was asked for WebGPU",
    take: ["requestAdapter"],
    program: "product",
    options: { device: "webgpu", timeout: 100 },
    outcome: { error: `DeviceError: init: requestAdapter gave no answer within 0.1 s; ${gone}` },
  },
  {
    name: "a browser whose requestDevice never answers",
    take: ["requestDevice"],
    program: "product",
    options: { device: "webgpu", timeout: 100 },
    outcome: { error: `DeviceError: init: requestDevice gave no answer within 0.1 s; ${gone}` },
  },
  {
    name: "a strict content security policy",
    program: "everything",
    options: { device: "cpu" },
    headers: { "Content-Security-Policy": "default-src 'none'; script-src 'self'; img-src data:" },
    outcome: {
      device: "cpu",
      reason: expect.stringMatching(
        /^asked for; plain TypeScript, since WebAssembly with SIMD is not to be had \(.*policy/i,
      ),
      ...learned,
    },
  },
  {
    name: "a strict content security policy that allows WebAssembly",
    program: "everything",
    options: { device: "cpu" },
    headers: {
      "Content-Security-Policy":
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; img-src data:",
    },
    outcome: { device: "cpu", reason: "asked for", ...learned },
  },
];

/** A page without some things, which is answered here, and what it tells of errors and prints. */
async function openPage({ take = [], headers }: Pick<Row, "take" | "headers">) {
  const page = await browser.newPage();
  const errors: string[] = [];
  const printed: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    const isError = ["error", "warn"].includes(message.type());
    (isError ? errors : printed).push(message.text());
  });
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    const script = files.get(pathname);
    const contentType = script === undefined ? "text/html" : "text/javascript";
    request.respond({ status: 200, headers, contentType, body: script ?? pages[pathname] });
  });
  for (const name of take) await page.evaluateOnNewDocument(takingAway(name));
  return { page, errors, printed };
}

test.each(rows)("$name", async ({ program, options, origin, outcome, ...row }) => {
  const { page, errors } = await openPage(row);
  const query = encodeURIComponent(JSON.stringify({ program, options }));
  await page.goto(`${origin ?? "http://localhost"}/?${query}`);
  expect(await page.evaluate("globalThis.outcome")).toEqual(outcome);
  expect(errors).toEqual([]);
  await page.close();
});

test("a page asks for the library's file only, and has one more global: a list of copies", async () => {
  const { page, errors } = await openPage({});
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.evaluateOnNewDocument("globalThis.before = new Set(Reflect.ownKeys(globalThis))");
  const options = { device: "webgpu" };
  const query = encodeURIComponent(JSON.stringify({ program: "everything", options }));
  await page.goto(`http://localhost/?${query}`);
  expect(await page.evaluate("globalThis.outcome")).toMatchObject({ device: "webgpu" });
  const names = "Reflect.ownKeys(globalThis).filter((key) => !before.has(key)).map(String)";
  expect(await page.evaluate(names)).toEqual(["before", "outcome", "Symbol(gradus.copies)"]);
  expect(asked).toEqual(["/", "/learn.js", "/gradus.min.js"]);
  expect(errors).toEqual([]);
  await page.close();
});

test("nothing that ships is written in newer terms than the oldest browsers know", async () => {
  const code = files.get("/gradus.min.js") as string;
  const supported = { "regexp-unicode-property-escapes": true }; // esbuild is more careful
  const [old, latest] = await Promise.all(
    [["chrome97", "safari16.4", "firefox104"], "esnext"].map((target) =>
      transform(code, { target, supported }),
    ),
  );
  expect(old.warnings).toEqual([]);
  expect(old.code === latest.code).toBe(true); // nothing had to be put in older terms
});

test("Safari before it has WebGPU runs the README's first program", async () => {
  const { page, errors, printed } = await openPage({ take: ["dispose", "gpu"] });
  await page.goto("http://localhost/first");
  await expect.poll(() => [...printed, ...errors]).toEqual(promised(firstProgram));
  await page.close();
});
