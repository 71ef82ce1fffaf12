/** Files that the user brings: chosen, or dropped on the page. */
import { pictureFiles } from "gradus/pictures";
import iris from "../../examples/iris/iris.csv?raw";
import { element } from "../shell/dom.ts";
import { type DataName, isBrought, type Own } from "./choices.ts";

/** Why nothing of an address' own files is left. */
const LOST = "A file is not kept when the page is loaded anew";

type Pictures = NonNullable<Own["pictures"]>;
type Fashion = NonNullable<Own["fashion"]>;

/** The user's files as a job takes them; Fisher's irises until there is a table. */
export class OwnFiles {
  #csv = iris;
  #name: string | null = null;
  #pictures: Pictures | undefined;
  #fashion: Fashion | undefined;
  #isFetching = false;

  /**
   * @param chosen is told when there are files, and which kind of data they are.
   * @param fetchFashion fetches Fashion-MNIST from where it is published, and tells whether it is still wanted.
   */
  constructor(
    readonly chosen: (data: DataName) => void,
    readonly failed: (message: string) => void,
    readonly fetchFashion: () => Promise<boolean>,
  ) {
    this.#listen("csv", (files) => this.#readCsv(files[0]));
    this.#listen("pictures", (files) => this.#readPictures(files));
    this.#listen("fashion", async (files) => this.#takeFashion(files));
    element("fashion-fetch").addEventListener(
      "click",
      () => void this.#attempt(() => this.#fetch()),
    );
    this.#listenToDrops();
  }

  #listen(id: string, take: (files: readonly File[]) => Promise<void>): void {
    const input = element(id, HTMLInputElement);
    input.addEventListener("change", () => {
      const files = [...(input.files ?? [])];
      if (files.length > 0) void this.#attempt(() => take(files));
    });
  }

  /** Takes files wherever they are dropped on the page. */
  #listenToDrops(): void {
    const mark = (isOver: boolean) => document.body.classList.toggle("over", isOver);
    document.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      mark(true);
    });
    document.addEventListener("dragleave", ({ relatedTarget }) => {
      if (relatedTarget === null) mark(false); // it has left the page
    });
    document.addEventListener("drop", (event) => {
      mark(false);
      const { dataTransfer } = event;
      if (!dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      void this.#attempt(() => this.#takeDropped(dataTransfer));
    });
  }

  async #takeDropped(dropped: DataTransfer): Promise<void> {
    const files = [...dropped.files];
    const entries = [...dropped.items].map((item) => item.webkitGetAsEntry());
    if (entries.some((entry) => entry?.isDirectory)) return this.#readPictures(dropped);
    const table = files.find(({ name, type }) => /\.csv$/i.test(name) || type === "text/csv");
    if (table) return this.#readCsv(table);
    if (files.some(isIdx)) return this.#takeFashion(files);
    const told = files.map(({ name }) => name).join(", ");
    throw new Error(
      `${told}: expected a CSV file, a folder of pictures for each class, or the files of Fashion-MNIST.`,
    );
  }

  async #attempt(take: () => Promise<void>): Promise<void> {
    try {
      await take();
    } catch (error) {
      this.failed((error as Error).message.replace(/^pictureFiles: /, ""));
    }
  }

  async #readCsv(file: File): Promise<void> {
    this.#csv = await file.text();
    this.#name = file.name;
    this.chosen("csv");
  }

  async #readPictures(files: readonly File[] | DataTransfer): Promise<void> {
    const found = await pictureFiles(files);
    this.#pictures = await Promise.all(
      found.map(async ({ label, source }) => {
        const blob = await (source as () => File | Promise<File>)();
        return { label: String(label), source: blob };
      }),
    );
    this.chosen("pictures");
  }

  async #fetch(): Promise<void> {
    if (this.#isFetching) return;
    this.#isFetching = true;
    try {
      const isWanted = await this.fetchFashion();
      this.#fashion = "published";
      if (isWanted) this.chosen("fashion");
    } finally {
      this.#isFetching = false;
    }
  }

  #takeFashion(files: readonly File[]): void {
    this.#fashion = Object.fromEntries(files.map((file) => [file.name, file]));
    this.chosen("fashion");
  }

  /** Says which files are learnt, and what has become of those of an address. */
  tell(data: DataName, isLost: boolean): void {
    const told = element("own-told");
    if (isLost) {
      told.textContent =
        "Files are not kept when the page is loaded anew: choose yours again. Until then two spirals are learnt.";
    } else if (isBrought(data) && !this.has(data)) {
      told.textContent = "Nothing is chosen yet; until then what was learnt before goes on.";
    } else if (data === "csv") {
      told.textContent = this.#name
        ? `${this.#name} is learnt. ${LOST}: choose it again then.`
        : `Fisher’s irises (1936) are learnt until a file is chosen. ${LOST}: choose yours again.`;
    } else told.textContent = "";
    told.hidden = told.textContent === "";
  }

  /** What a job of some data needs. */
  of(data: DataName): Own {
    if (data === "csv") return { csv: this.#csv };
    if (data === "fashion" && this.#fashion) return { fashion: this.#fashion };
    return data === "pictures" && this.#pictures ? { pictures: this.#pictures } : {};
  }

  /** Whether a table of the user's takes the place of the irises. */
  get hasTable(): boolean {
    return this.#name !== null;
  }

  /** Whether there is what the data need. */
  has(data: DataName): boolean {
    return !isBrought(data) || Object.keys(this.of(data)).length > 0;
  }
}

/** Whether a file has a name as those of MNIST and its like. */
function isIdx({ name }: File): boolean {
  return /-idx\d-ubyte(\.gz)?$/.test(name);
}
