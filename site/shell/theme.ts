/** Which of the two sets of colours is shown. */
export function isDark(): boolean {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Whether the reader asked for little movement. */
export function isCalm(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

let probe: HTMLElement | null = null;

/** A colour of page.css as `rgb(…)`: `color("--accent")`, in the theme that is shown. */
export function color(name: `--${string}`): string {
  if (!probe) {
    probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

/** A colour of page.css as red, green and blue, 0 to 255. */
export function rgb(name: `--${string}`): [number, number, number] {
  const [r, g, b] = color(name).match(/[\d.]+/g) ?? [];
  return [Number(r), Number(g), Number(b)];
}

const listeners = new Set<() => void>();

/** Calls back whenever the colours have changed. */
export function onTheme(listener: () => void): void {
  listeners.add(listener);
}

/** Chooses a theme, "" for that of the system, and keeps it. */
export function setTheme(theme: string): void {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  try {
    if (theme) localStorage.setItem("theme", theme);
    else localStorage.removeItem("theme");
  } catch {
    // Storage may be forbidden; the theme then lasts as long as the page.
  }
  tell();
}

function tell(): void {
  for (const listener of listeners) listener();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
