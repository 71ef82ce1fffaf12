import MiniSearch from "minisearch";
import type { ReferenceData } from "./data.ts";

/** Something that was found. */
export interface Found {
  readonly place: string;
  readonly title: string;
  /** Where it is from: a guide, or an entry of the package. */
  readonly from: string;
  readonly summary: string;
}

/** Words of a name with capitals: `crossEntropy` is found by "entropy" too. */
function words(text: string): string[] {
  const parts = text.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const humps = parts.flatMap((part) => part.split(/(?<=\p{Ll}|\d)(?=\p{Lu})/u));
  return [...new Set([...parts, ...humps])];
}

/** Text of HTML. */
function plain(html: string): string {
  return html.replace(/<[^>]*>/g, " ").replace(/&\w+;/g, " ");
}

/** Makes the search over guides and exports. */
export function searchOf({ guides, entries }: ReferenceData): (query: string) => Found[] {
  const search = new MiniSearch<Found & { readonly text: string }>({
    idField: "place",
    fields: ["title", "summary", "text"],
    storeFields: ["place", "title", "from", "summary"],
    tokenize: words,
    searchOptions: {
      boost: { title: 6, summary: 2 },
      prefix: true,
      fuzzy: 0.15,
      combineWith: "AND",
    },
  });
  search.addAll(
    guides.map(({ slug, title, html, isDecision }) => {
      const from = isDecision ? "decision" : "guide";
      return { place: `guide/${slug}`, title, from, summary: "", text: plain(html) };
    }),
  );
  search.addAll(
    entries.flatMap(({ name: from, items }) =>
      items
        .filter(({ kind }) => kind !== "same")
        .map(({ name: title, summary, html }) => {
          return { place: `${from}/${title}`, title, from, summary, text: plain(html) };
        }),
    ),
  );
  return (query) => search.search(query).slice(0, 60) as unknown as Found[];
}
