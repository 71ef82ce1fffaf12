/** A guide, as HTML. */
export interface Guide {
  readonly slug: string;
  readonly title: string;
  readonly html: string;
  /** Whether it is a record of a decision. */
  readonly isDecision?: boolean;
}

/** An export. */
export interface Item {
  readonly name: string;
  /** `same` for a second export of what stands at `place`. */
  readonly kind: "function" | "class" | "value" | "type" | "same";
  readonly place?: string;
  /** How it is called, a line each. */
  readonly calls: readonly string[];
  /** Its first sentences, as text. */
  readonly summary: string;
  readonly html: string;
}

/** An entry of the package. */
export interface Entry {
  readonly name: string;
  readonly items: readonly Item[];
}

/** All that the page shows. */
export interface ReferenceData {
  readonly guides: readonly Guide[];
  readonly entries: readonly Entry[];
}
