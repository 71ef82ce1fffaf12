import axe from "axe-core";
import puppeteer, {
  type Browser,
  type BrowserContext,
  type ElementHandle,
  type Page,
} from "puppeteer";
import { afterAll, beforeAll, expect, inject } from "vitest";

/** How a page of the site is opened. */
export interface OpenOptions {
  /** 1280 pixels when left out; 390 as on a phone. */
  readonly width?: number;
  readonly dark?: boolean;
  /** For a reader who asked for little movement. */
  readonly calm?: boolean;
  /** Another browser than that of all tests, for a test that breaks it. */
  readonly browser?: Browser;
}

/** A page of the site, and what went wrong on it: messages, errors, requests to elsewhere, controls that moved. */
export interface OpenPage {
  readonly page: Page;
  readonly problems: string[];
}

/** The built site in the browser of all its tests; each file has a window of its own. */
export class Site {
  #browser: Browser | null = null;
  #context: BrowserContext | null = null;
  readonly url = inject("site").url;

  async connect(): Promise<void> {
    const { endpoint } = inject("site");
    this.#browser = await puppeteer.connect({ browserWSEndpoint: endpoint });
    this.#context = await this.#browser.createBrowserContext();
  }

  async leave(): Promise<void> {
    await this.#context?.close();
    await this.#browser?.disconnect();
  }

  /** Gives an empty page that collects what goes wrong on it. */
  async blank({
    width = 1280,
    dark = false,
    calm = false,
    browser,
  }: OpenOptions = {}): Promise<OpenPage> {
    const page = await (browser ?? (this.#context as BrowserContext)).newPage();
    await page.setViewport({ width, height: width > 600 ? 900 : 844 });
    await page.emulateMediaFeatures([
      { name: "prefers-color-scheme", value: dark ? "dark" : "light" },
      { name: "prefers-reduced-motion", value: calm ? "reduce" : "no-preference" },
    ]);
    // Only the test of the site's copy for later is to have one.
    await page.evaluateOnNewDocument(() => {
      Object.defineProperty(Navigator.prototype, "serviceWorker", { value: undefined });
    });
    await page.evaluateOnNewDocument(watchControls);
    const problems: string[] = [];
    page.on("console", (message) => {
      if (["error", "warn"].includes(message.type())) problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("request", (request) => {
      if (!/^(blob:|data:)/.test(request.url()) && !request.url().startsWith(this.url)) {
        problems.push(`external request: ${request.url()}`);
      }
    });
    return { page, problems };
  }

  /** Opens a page by its path, such as `losses/?loss=hinge`. */
  async open(path: string, options: OpenOptions = {}): Promise<OpenPage> {
    const opened = await this.blank(options);
    await opened.page.goto(this.url + path);
    return opened;
  }
}

/**
 * Runs in a page: tells of each control that moves by itself while the page loads or computes, until its
 * reader does something. Whoever aims at what moves misses it.
 */
function watchControls(): void {
  const places = new Map<Element, number>();
  let isWatching = true;
  for (const type of [
    "pointerdown",
    "click",
    "keydown",
    "input",
    "change",
    "dragenter",
    "popstate",
  ]) {
    addEventListener(type, () => (isWatching = false), { capture: true, once: true });
  }
  const look = () => {
    if (!isWatching) return;
    requestAnimationFrame(look);
    const phase = document.body?.dataset.phase ?? "";
    if (!["loading", "training"].includes(phase)) return places.clear();
    for (const control of document.querySelectorAll("a, button, input, select, summary")) {
      const { top, height } = control.getBoundingClientRect();
      if (height === 0) continue;
      // What is fixed to the window stays where it is while the page is scrolled.
      const bar = control.closest(".run");
      const isFixed = bar && getComputedStyle(bar).position === "fixed";
      const place = Math.round(isFixed ? top : top + scrollY);
      const before = places.get(control) ?? place;
      places.set(control, place);
      if (Math.abs(place - before) > 1) {
        const name = control.id || control.textContent;
        console.warn(`${name} moved by ${place - before} pixels by itself`);
      }
    }
  };
  // Another width lays all out anew.
  addEventListener("resize", () => places.clear());
  requestAnimationFrame(look);
}

/** Connects a test file to the site: call it at the top of the file. */
export function useSite(): Site {
  const site = new Site();
  beforeAll(() => site.connect());
  afterAll(() => site.leave());
  return site;
}

/** Nothing was told on the console, nothing is wider than the window, and axe finds nothing. */
export async function expectSound({ page, problems }: OpenPage): Promise<void> {
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  expect(await violations(page)).toEqual([]);
  expect(problems).toEqual([]);
}

/** What axe-core finds: rule, then the elements. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run(document);
    return violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`)}`,
    );
  });
}

/** Waits until an element looks otherwise than now: a canvas by its pixels, another by its content. */
export async function waitForMovement(
  page: Page,
  selector: string,
  timeout = 5_000,
): Promise<void> {
  await page.waitForSelector(selector, { timeout });
  await page.evaluate((which) => {
    const look = () => {
      const found = document.querySelector(which);
      return found instanceof HTMLCanvasElement ? found.toDataURL() : found?.innerHTML;
    };
    Object.assign(globalThis, { look, looked: look() });
  }, selector);
  await page.waitForFunction(
    () => {
      const { look, looked } = globalThis as unknown as { look(): string; looked: string };
      return look() !== looked;
    },
    { timeout, polling: "raf" },
  );
}

/** Waits until the body's `data-phase` is this. */
export async function waitForPhase(page: Page, phase: string, timeout = 30_000): Promise<void> {
  await page.waitForSelector(`body[data-phase="${phase}"]`, { timeout });
}

/** Waits until the text of the element with an id fits a pattern. */
export async function waitForText(page: Page, id: string, pattern: RegExp): Promise<void> {
  await page.waitForFunction(
    (which, source) => new RegExp(source).test(document.getElementById(which)?.textContent ?? ""),
    { timeout: 45_000 },
    id,
    pattern.source,
  );
}

/** Drags files and folders, named by their paths, over an element and drops them there. */
export async function drop(page: Page, files: string[], selector = "h1"): Promise<void> {
  const target = await page.$(selector);
  if (!target) throw new Error(`drop: no ${selector}`);
  const { x, y } = await target.evaluate(async (element) => {
    const middle = () => {
      element.scrollIntoView({ block: "center", behavior: "instant" });
      const { x, y, width, height } = element.getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2 };
    };
    // Until nothing moves it any more.
    let [place, still] = [middle(), 0];
    while (still < 5) {
      await new Promise(requestAnimationFrame);
      const now = middle();
      still = now.x === place.x && now.y === place.y ? still + 1 : 0;
      place = now;
    }
    return place;
  });
  const session = await page.createCDPSession();
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await session.send("Input.dispatchDragEvent", { type, x, y, data });
  }
  await session.detach();
}

/** Gives files, named by their paths, to the field of a page that has an id. */
export async function upload(page: Page, id: string, ...files: string[]): Promise<void> {
  await ((await page.$(`#${id}`)) as ElementHandle<HTMLInputElement>).uploadFile(...files);
}

/** Puts a value in place of what a field holds, and leaves the field. */
export async function fill(page: Page, selector: string, value: string): Promise<void> {
  await page.click(selector, { count: 3 });
  await page.type(selector, value);
  await page.keyboard.press("Tab");
}

/** The text of the first element that fits a selector. */
export function text(page: Page, selector: string): Promise<string> {
  return page.$eval(selector, (element) => element.textContent ?? "");
}

/** The first number in the text of an element; NaN where there is none. */
export async function numberIn(page: Page, selector: string): Promise<number> {
  const [found] = (await text(page, selector)).replaceAll(",", "").match(/-?\d+(\.\d+)?/) ?? [];
  return Number(found ?? Number.NaN);
}

/** By how many pixels a page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}
