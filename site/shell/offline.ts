import { createHash } from "node:crypto";
import type { Plugin } from "vite";
import { isolation } from "../../tools/sources.mjs";

/** Larger files are kept when they are first asked for. */
const MOST = 3_000_000;

/** Adds to a built site a service worker that keeps its files, and isolates its pages. */
export function offline(): Plugin {
  return {
    name: "site-offline",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const hash = createHash("sha256");
        const [files, large]: [string[], string[]] = [[], []];
        for (const file of Object.values(bundle).sort((a, b) =>
          a.fileName < b.fileName ? -1 : 1,
        )) {
          const content = file.type === "chunk" ? file.code : file.source;
          hash.update(file.fileName).update(content);
          const list = content.length > MOST ? large : files;
          list.push(`./${file.fileName.replace(/(^|\/)index\.html$/, "$1")}`);
        }
        const name = `gradus-${hash.digest("hex").slice(0, 12)}`;
        this.emitFile({ type: "asset", fileName: "sw.js", source: script(name, files, large) });
      },
    },
  };
}

function script(name: string, files: readonly string[], large: readonly string[]): string {
  return `// Keeps the site's own files, so that it works offline after the first visit.
const NAME = ${JSON.stringify(name)};
const FILES = ${JSON.stringify(files)};
// Kept once a reader has loaded them, from one version of the site to the next.
const LARGE = ${JSON.stringify(large)};
const HEADERS = ${JSON.stringify(isolation)};

/** The same response with the headers under which pages have threads. */
function isolated(response) {
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  for (const [header, value] of Object.entries(HEADERS)) headers.set(header, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

async function answer(event) {
  const { request } = event;
  const cache = await caches.open(NAME);
  const isPage = request.mode === "navigate";
  const place = new URL(request.url);
  if (isPage) {
    place.pathname = place.pathname.replace(/\\/index\\.html$/, "/");
    const last = place.pathname.split("/").pop();
    if (last !== "" && !last.includes(".")) {
      // A page's address ends in a slash: what it loads is named from there.
      const whole = new URL(place);
      whole.pathname += "/";
      if (await cache.match(whole.href, { ignoreSearch: true, ignoreVary: true })) return Response.redirect(whole.href);
    }
  }
  // Whoever asks, the files are the same, even if the server varies them by the origin.
  const kept = await cache.match(isPage ? place.href : request, { ignoreSearch: isPage, ignoreVary: true });
  if (kept) return isolated(kept);
  const response = await fetch(request);
  // What there is no room for is loaded all the same.
  if (response.status === 200) event.waitUntil(cache.put(request, response.clone()).catch(() => {}));
  return isolated(response);
}

/** Takes what is still good of earlier versions, whose names tell their content, and clears the rest. */
async function tidy() {
  const cache = await caches.open(NAME);
  for (const name of await caches.keys()) {
    if (!name.startsWith("gradus-") || name === NAME) continue;
    const old = await caches.open(name);
    for (const file of LARGE) {
      const kept = await old.match(file, { ignoreVary: true });
      if (kept) await cache.put(file, kept).catch(() => {});
    }
    await caches.delete(name);
  }
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(FILES)));
});
self.addEventListener("activate", (event) => {
  event.waitUntil(tidy().then(() => self.clients.claim()));
});
self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "GET" && new URL(url).origin === location.origin) event.respondWith(answer(event));
});
`;
}
