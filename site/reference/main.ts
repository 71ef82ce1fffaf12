/** The page: guides and the API, found by its lists, by search, and by the part of the address behind #. */
import url from "virtual:reference";
import "./style.css";
import { showCode } from "../shell/code.ts";
import { element, make } from "../shell/dom.ts";
import type { Entry, Guide, Item, ReferenceData } from "./data.ts";
import { type Found, searchOf } from "./search.ts";

const article = element("article");
const all = element("all", HTMLDetailsElement);

// Where there is no room beside the text, the contents are opened by those who want them.
const isNarrow = matchMedia("(width < 52rem)");
const fold = () => {
  all.open = !isNarrow.matches;
};
isNarrow.addEventListener("change", fold);
fold();
const search = element("search", HTMLInputElement);

async function load(): Promise<ReferenceData> {
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(`reference: ${response.status} for ${url}; expected the reference`);
  return response.json();
}

function link(place: string, text: string): HTMLAnchorElement {
  return make("a", { href: `#${place}` }, text);
}

function list(links: readonly HTMLElement[], className = ""): HTMLElement {
  return make("ul", { className }, ...links.map((each) => make("li", {}, each)));
}

function showLists({ guides, entries }: ReferenceData): void {
  const of = (isDecision: boolean) =>
    guides
      .filter((guide) => Boolean(guide.isDecision) === isDecision)
      .map(({ slug, title }) => link(`guide/${slug}`, title));
  const decisions = make("details", {}, make("summary", {}, "Decisions"), list(of(true)));
  element("lists").replaceChildren(
    make("h2", {}, "Guides"),
    list(of(false)),
    make("h2", {}, "Functions and classes"),
    list(
      entries.map(({ name }) => link(name, name)),
      "entries",
    ),
    decisions,
  );
}

/** What of code is coloured: what is written much like JavaScript. */
const COLOURED = /\blanguage-(ts|js|html|wgsl)\b/;

/** Puts HTML of the reference in a place: its code can be copied, its tables scroll by themselves. */
function fill(host: HTMLElement, html: string): void {
  host.innerHTML = html;
  for (const [i, code] of host.querySelectorAll("pre > code").entries()) {
    const box = make("div");
    code.parentElement?.replaceWith(box);
    const text = (code.textContent ?? "").trimEnd();
    showCode(box, text, `Code ${i + 1}`, !COLOURED.test(code.className));
  }
  for (const table of host.querySelectorAll("table")) {
    const box = make("div", { className: "scrolls", tabIndex: 0 });
    table.replaceWith(box);
    box.append(table);
  }
}

function guideView({ html }: Guide): HTMLElement {
  const body = make("div");
  fill(body, html);
  return body;
}

function entryView({ name, items }: Entry): HTMLElement {
  const rows = items.map((item) => {
    const place = item.place ?? `${name}/${item.name}`;
    const same = item.place ? ` as in ${item.place.slice(0, item.place.lastIndexOf("/"))}` : "";
    const kind = make("span", { className: "kind" }, item.place ? same : ` ${item.kind}`);
    return make("li", {}, link(place, item.name), kind, make("p", {}, firstSentence(item.summary)));
  });
  return make(
    "div",
    {},
    make("h1", {}, name),
    make("p", { className: "hint" }, `${items.length} exports: import { … } from "${name}"`),
    make("ul", { className: "index" }, ...rows),
  );
}

function firstSentence(text: string): string {
  return /^.*?[.:;](?=\s|$)/s.exec(text)?.[0].replace(/[:;]$/, ".") ?? text;
}

function itemView(entry: Entry, { name, kind, calls, html }: Item): HTMLElement {
  const from = make("p", { className: "hint" }, `${kind} of `, link(entry.name, entry.name));
  const body = make("div", { className: "told" });
  fill(body, html);
  const code = make("div");
  showCode(code, calls.join("\n"), "How it is called");
  return make("div", {}, make("h1", {}, name), from, code, body);
}

function foundView(query: string, found: readonly Found[]): HTMLElement {
  const rows = found.map(({ place, title, from, summary }) => {
    const kind = make("span", { className: "kind" }, ` ${from}`);
    return make("li", {}, link(place, title), kind, make("p", {}, firstSentence(summary)));
  });
  const text = found.length > 0 ? `Found for “${query}”` : `Nothing was found for “${query}”`;
  return make("div", {}, make("h1", {}, text), make("ul", { className: "index" }, ...rows));
}

/** What stands at a place, the first guide where none is named. */
function viewOf({ guides, entries }: ReferenceData, place: string): HTMLElement {
  const guide = guides.find(({ slug }) => place === `guide/${slug}`);
  if (guide) return guideView(guide);
  const entry = entries.find(({ name }) => place === name);
  if (entry) return entryView(entry);
  const cut = place.lastIndexOf("/");
  const home = entries.find(({ name }) => place.slice(0, cut) === name);
  const item = home?.items.find(({ name }) => name === place.slice(cut + 1));
  if (home && item) return itemView(home, item);
  if (place === "") return guideView(guides[0]);
  const title = make("h1", {}, `There is nothing at “${place}”`);
  const hint = make("p", {}, "What there is stands in the contents, and is found by the search.");
  return make("div", {}, title, hint);
}

/** The place that the address names, as it is written where it is not well formed. */
function placeOf(hash: string): string {
  const written = hash.slice(1);
  try {
    return decodeURIComponent(written);
  } catch {
    return written;
  }
}

/** Keeps a search in the address and with the present entry of the history. */
function keep(query: string): void {
  const q = query ? `?${new URLSearchParams({ q: query })}` : "";
  history.replaceState({ query }, "", `${location.pathname}${q}${location.hash}`);
}

async function begin(): Promise<void> {
  const data = await load();
  showLists(data);
  const find = searchOf(data);
  const show = (view: HTMLElement) => {
    article.replaceChildren(view);
    const title = view.querySelector("h1")?.textContent ?? "Reference";
    document.title = `Gradus · ${title}`;
  };
  const follow = (isFirst = false) => {
    const place = placeOf(location.hash);
    show(viewOf(data, place));
    for (const each of element("lists").querySelectorAll("a")) {
      const isHere =
        each.hash === location.hash ||
        (isFirst && place === "" && each === element("lists").querySelector("a"));
      if (isHere) each.setAttribute("aria-current", "page");
      else each.removeAttribute("aria-current");
    }
    if (isFirst) return;
    article.focus({ preventScroll: true });
    article.scrollIntoView();
  };
  const seek = (query: string) => show(foundView(query, find(query)));
  const turn = () => {
    // A search that is gone back to is shown again; a link from one leads away from it.
    const query: string = history.state?.query ?? "";
    keep(query);
    search.value = query;
    fold();
    if (query === "") follow();
    else seek(query);
  };
  addEventListener("hashchange", turn);
  // Between addresses with and without a search there is no "hashchange".
  addEventListener("popstate", () => {
    if (history.state?.query || search.value !== "") turn();
  });
  article.addEventListener("click", ({ target }) => {
    const hash = (target as Element).closest("a")?.hash;
    if (!hash || hash !== location.hash || search.value === "") return;
    keep(""); // what was found is what the address names already
    turn();
  });
  element("search-form").addEventListener("submit", (event) => event.preventDefault());
  search.addEventListener("input", () => {
    const query = search.value.trim();
    keep(query);
    if (query === "") follow(true);
    else seek(query);
  });
  const query = new URLSearchParams(location.search).get("q")?.trim() ?? "";
  follow(true);
  if (query === "") return;
  keep(query);
  search.value = query;
  seek(query);
}

begin().catch((error: unknown) => {
  article.replaceChildren(make("p", {}, String(error)));
});
