/** Files that the user brings. */
import { pictureFiles } from "gradus/pictures";
import iris from "../../examples/iris/iris.csv?raw";
import { element } from "../shell/dom.ts";
import type { DataName, Own } from "./choices.ts";

/** Why nothing of an address' own files is left. */
const LOST = "A file is not kept when the page is loaded anew";

/** The user's files as a job takes them; Fisher's irises until there is a table. */
export class OwnFiles {
  #csv = iris;
  #name: string | null = null;
  #pictures: Own["pictures"];

  /** @param chosen is told when there are files, and which kind of data they are. */
  constructor(chosen: (data: DataName) => void, failed: (message: string) => void) {
    const csv = element("csv", HTMLInputElement);
    csv.addEventListener("change", async () => {
      const file = csv.files?.[0];
      if (!file) return;
      this.#csv = await file.text();
      this.#name = file.name;
      chosen("csv");
    });
    const pictures = element("pictures", HTMLInputElement);
    pictures.addEventListener("change", async () => {
      try {
        const found = await pictureFiles(pictures.files ?? []);
        this.#pictures = await Promise.all(
          found.map(async ({ label, source }) => {
            const blob = await (source as () => File | Promise<File>)();
            return { label: String(label), source: blob };
          }),
        );
        chosen("pictures");
      } catch (error) {
        failed((error as Error).message);
      }
    });
  }

  /** Says which files are learnt, and what has become of those of an address. */
  tell(data: DataName, isLost: boolean): void {
    const told = element("own-told");
    if (isLost) {
      told.textContent =
        "Pictures are not kept when the page is loaded anew: choose their folder again under Folders of pictures. Until then two spirals are learnt.";
    } else if (data === "pictures" && !this.has(data)) {
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
    return data === "pictures" && this.#pictures ? { pictures: this.#pictures } : {};
  }

  /** Whether there is what the data need. */
  has(data: DataName): boolean {
    return data !== "pictures" || this.#pictures !== undefined;
  }
}
