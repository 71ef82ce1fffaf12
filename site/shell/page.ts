/** What runs on every page: the theme's choice, the place in the navigation, the copy for later. */
import { element } from "./dom.ts";
import { setTheme } from "./theme.ts";

const theme = element("theme", HTMLSelectElement);
theme.value = document.documentElement.dataset.theme ?? "";
theme.addEventListener("change", () => setTheme(theme.value));

// On a narrow screen the row of links scrolls: the present page is in sight.
const row = document.querySelector<HTMLElement>(".bar nav");
const here = row?.querySelector<HTMLElement>("[aria-current]");
if (row && here) row.scrollLeft = here.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;

// Its sides show where there is more of it.
function tellMore(): void {
  if (!row) return;
  const before = row.scrollLeft > 1;
  const after = row.scrollLeft < row.scrollWidth - row.clientWidth - 1;
  row.dataset.more = [before && "before", after && "after"].filter(Boolean).join(" ");
}
row?.addEventListener("scroll", tellMore, { passive: true });
addEventListener("resize", tellMore);
tellMore();

// A formula that is wider than its place scrolls, by keys too.
const formulas = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.setAttribute("tabindex", "0");
    else target.removeAttribute("tabindex");
  }
});
for (const math of document.querySelectorAll('math[display="block"]')) formulas.observe(math);

// A built site keeps its own files, so that it works offline after the first visit.
if (import.meta.env.PROD && isSecureContext) {
  const home = document.querySelector<HTMLAnchorElement>(".mark")?.href as string;
  navigator.serviceWorker?.register(new URL("sw.js", home)).catch(() => {});
}
