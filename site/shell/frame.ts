import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Plugin } from "vite";
import { PAGES, type SitePage } from "./pages.ts";

const SITE = join(import.meta.dirname, "..");

/** The pages whose folders are there. */
export function presentPages(): SitePage[] {
  return PAGES.filter(({ slug }) => existsSync(join(SITE, slug, "index.html")));
}

/** Before anything is painted: the theme that was chosen. Later: what to say where scripts fail. */
const EARLY = `
  try {
    const theme = localStorage.getItem("theme");
    if (theme) document.documentElement.dataset.theme = theme;
  } catch {}
  addEventListener("error", ({ target }) => {
    if (!(target instanceof HTMLScriptElement)) return;
    const tell = () => {
      const box = document.getElementById("error");
      box.textContent = "The page's scripts could not be loaded. Is the server running? Reload the page.";
      box.hidden = false;
    };
    if (document.readyState === "loading") addEventListener("DOMContentLoaded", tell);
    else tell();
  }, true);`;

/** Puts what all pages share around what a page's own index.html holds. */
export function frame(): Plugin {
  return {
    name: "site-frame",
    transformIndexHtml: {
      order: "pre",
      handler(html, { filename }) {
        if (html.includes("<html")) return html;
        const slug = relative(SITE, dirname(filename)).replaceAll("\\", "/");
        const pages = presentPages();
        const at = pages.findIndex((page) => page.slug === slug);
        if (at < 0)
          throw new Error(`site: ${filename} is not in PAGES; expected a line of its own`);
        return wrap(html, pages, at);
      },
    },
  };
}

/** The address of a page, from another. */
function hrefOf({ slug }: SitePage, home: string): string {
  return slug === "" ? home : `${home}${slug}/`;
}

/** The list of the pages, for Home. */
function mapOf(pages: readonly SitePage[], home: string): string {
  const rows = pages.slice(1).map((page) => {
    const { title, text } = page;
    return `<div><dt><a href="${hrefOf(page, home)}">${title}</a></dt><dd>${text}</dd></div>`;
  });
  return `<dl class="map">${rows.join("\n")}</dl>`;
}

function wrap(body: string, pages: readonly SitePage[], at: number): string {
  const page = pages[at];
  const home = page.slug === "" ? "./" : "../";
  const title = page.slug === "" ? "Gradus" : `Gradus · ${page.title}`;
  const link = (each: SitePage) => {
    const current = each === page ? ' aria-current="page"' : "";
    return `<a href="${hrefOf(each, home)}"${current}>${each.title}</a>`;
  };
  const step = (each: SitePage | undefined, rel: "prev" | "next", word: string) =>
    each
      ? `<a rel="${rel}" href="${hrefOf(each, home)}">${word}${each.title}</a>`
      : "<span></span>";
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <meta name="description" content="${page.text}" />
    <title>${title}</title>
    <link rel="icon" href="data:," />
    <script>${EARLY}</script>
    <link rel="stylesheet" href="${home}shell/page.css" />
    <script type="module" src="${home}shell/page.ts"></script>
  </head>
  <body data-page="${page.slug || "home"}">
    <a class="skip" href="#main">Skip to the page</a>
    <header class="bar">
      <a class="mark" href="${home}">Gradus</a>
      <nav aria-label="Pages">${pages.slice(1).map(link).join("\n")}</nav>
      <label class="theme"><span>Theme</span>
        <select id="theme"><option value="">Auto</option><option value="light">Light</option><option value="dark">Dark</option></select>
      </label>
    </header>
    <main id="main" tabindex="-1">
      <div id="error" role="alert" hidden></div>
${body.replace("<!-- pages -->", () => mapOf(pages, home))}
    </main>
    <footer>
      <nav class="turn" aria-label="Previous and next page">
        ${step(pages[at - 1], "prev", "← ")}
        ${step(pages[at + 1], "next", "")}
      </nav>
      <p>Everything on this site is computed in your browser. Nothing leaves it.</p>
    </footer>
  </body>
</html>
`;
}
