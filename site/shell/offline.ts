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
        const files: string[] = [];
        for (const file of Object.values(bundle).sort((a, b) =>
          a.fileName < b.fileName ? -1 : 1,
        )) {
          const content = file.type === "chunk" ? file.code : file.source;
          hash.update(file.fileName).update(content);
          if (content.length > MOST) continue;
          files.push(`./${file.fileName.replace(/(^|\/)index\.html$/, "$1")}`);
        }
        const name = `gradus-${hash.digest("hex").slice(0, 12)}`;
        this.emitFile({ type: "asset", fileName: "sw.js", source: script(name, files) });
      },
    },
  };
}

function script(name: string, files: readonly string[]): string {
  return `// Keeps the site's own files, so that it works offline after the first visit.
const NAME = ${JSON.stringify(name)};
const FILES = ${JSON.stringify(files)};
const HEADERS = ${JSON.stringify(isolation)};

/** The same response with the headers under which pages have threads. */
function isolated(response) {
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  for (const [header, value] of Object.entries(HEADERS)) headers.set(header, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

async function answer(request) {
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
      if (await cache.match(whole.href, { ignoreSearch: true })) return Response.redirect(whole.href);
    }
  }
  const kept = await cache.match(isPage ? place.href : request, { ignoreSearch: isPage });
  if (kept) return isolated(kept);
  const response = await fetch(request);
  if (response.status === 200) await cache.put(request, response.clone());
  return isolated(response);
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(FILES)));
});
self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((each) => each.startsWith("gradus-") && each !== NAME);
  const clear = caches.keys().then((names) => Promise.all(old(names).map((each) => caches.delete(each))));
  event.waitUntil(clear.then(() => self.clients.claim()));
});
self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "GET" && new URL(url).origin === location.origin) event.respondWith(answer(event.request));
});
`;
}
