import { describeValue } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { kindOf } from "../core/kind.ts";
import { pathOf } from "../core/node-files.ts";
import { nodeModule } from "../core/node-module.ts";
import { quote } from "../core/quote.ts";

/** A picture and the class that it belongs to. */
export interface PictureFile {
  /** What messages call it, such as `cats/1.png`. */
  readonly name?: string;
  /** Its class. */
  readonly label: string | number;
  /** The encoded picture, the URL of it or, in Node, the path, or a function that gets it when it is asked for. */
  readonly source: Blob | URL | string | (() => Blob | Promise<Blob>);
}

/** A folder as a page's user has opened it: what `showDirectoryPicker` gives. */
interface FolderHandle {
  readonly kind: "directory";
  readonly name: string;
  entries(): AsyncIterable<[string, FolderHandle | FileHandle]>;
}
interface FileHandle {
  readonly kind: "file";
  getFile(): Promise<Blob>;
}

/** What lies on a page when it is dropped: `event.dataTransfer` of a drop. */
interface Dropped {
  readonly items: ArrayLike<{ webkitGetAsEntry(): FileSystemEntry | null }>;
}

/** Where class folders of pictures come from. */
export type PictureFolder =
  | string
  | URL
  | FileSystemDirectoryHandle
  | DataTransfer
  | Iterable<File>
  | ArrayLike<File>;

/** A file by its way from the folder that was given, whose first part is its class. */
interface FileAt {
  readonly path: readonly string[];
  readonly source: () => Blob | Promise<Blob>;
}

/** What the names of pictures end with. */
const PICTURE = /\.(jpe?g|png|gif|webp|bmp|avif|tiff?)$/i;

/**
 * Lists the pictures in a folder of class folders, such as `pets/cats/1.png` and `pets/dogs/7.png`: what
 * lies in a class folder or deeper belongs to that class. The list is in the order of the classes' names and
 * then of the files'. Files that are no pictures by their names, hidden ones and those beside the class
 * folders are left out, and of a path in Node links that lead nowhere or back to a folder around them.
 * Nothing is read yet.
 * @param folder what `showDirectoryPicker()` gives, the files of `<input type="file" webkitdirectory>`, the
 * `dataTransfer` of a drop event (one folder, or the class folders; ask before the event is over), or the
 * path or `file:` URL of a folder in Node.
 * @throws GradusError for anything else, for a folder without pictures in class folders, and for a path
 * where there is no Node.
 * @example
 * const files = await pictureFiles(input.files); // of <input type="file" webkitdirectory>
 * const data = new ImageDataset(files, { size: 64 });
 * await data.classes; // ["cats", "dogs"]
 */
export async function pictureFiles(
  folder: PictureFolder,
  ...surplus: never[]
): Promise<PictureFile[]> {
  if (surplus.length > 0) {
    throw new GradusError(
      `pictureFiles: ${describeValue(surplus[0])} too much; expected pictureFiles(folder)`,
    );
  }
  const found = (await findFiles(folder)).filter(isPicture);
  if (found.length === 0) {
    throw new GradusError(
      "pictureFiles: no picture in a class folder; expected files such as cats/1.png and dogs/1.png",
    );
  }
  const inOrder = (a: FileAt, b: FileAt) => comparePaths(a.path, b.path);
  return found.sort(inOrder).map(({ path, source }) => {
    return { name: path.join("/"), label: path[0], source };
  });
}

function isPicture({ path }: FileAt): boolean {
  const isHidden = path.some((part) => part.startsWith("."));
  return path.length > 1 && !isHidden && PICTURE.test(path[path.length - 1]);
}

/** By the first part that differs, in the order of its characters' codes. */
function comparePaths(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((part, i) => part !== b[i]);
  if (at === -1) return a.length - b.length;
  if (at >= b.length) return 1;
  return a[at] < b[at] ? -1 : 1;
}

async function findFiles(folder: unknown): Promise<FileAt[]> {
  if (kindOf(folder) === "URL" || typeof folder === "string") return inPath(String(folder));
  if (isHandle(folder)) return inHandle(folder, []);
  if (isDropped(folder)) return inDrop(folder);
  const files = listed(folder);
  if (files) return files.map(ofInput);
  throw new GradusError(
    `pictureFiles: ${describeValue(folder)}; expected a directory handle, the files of an input with ` +
      "webkitdirectory, a drop's dataTransfer, or a path in Node",
  );
}

function isHandle(value: unknown): value is FolderHandle {
  const handle = value as FolderHandle | null;
  return typeof handle?.entries === "function" && handle.kind === "directory";
}

async function inHandle(handle: FolderHandle, path: readonly string[]): Promise<FileAt[]> {
  const found: FileAt[] = [];
  for await (const [name, entry] of handle.entries()) {
    const way = [...path, name];
    if (entry.kind === "directory") found.push(...(await inHandle(entry, way)));
    else found.push({ path: way, source: () => entry.getFile() });
  }
  return found;
}

function isDropped(value: unknown): value is Dropped {
  const items = (value as Dropped | null)?.items;
  return typeof items === "object" && typeof items?.length === "number";
}

async function inDrop({ items }: Dropped): Promise<FileAt[]> {
  // Entries can be had during the event only, so all of them before anything is waited for.
  const entries = Array.from(items, (item) => item.webkitGetAsEntry()).filter((e) => e !== null);
  const found = (await Promise.all(entries.map((entry) => inEntry(entry, [])))).flat();
  // One folder holds the class folders; several are these.
  const isOne = entries.length === 1 && found.some(({ path }) => path.length > 2);
  return isOne ? found.map(({ path, source }) => ({ path: path.slice(1), source })) : found;
}

async function inEntry(entry: FileSystemEntry, path: readonly string[]): Promise<FileAt[]> {
  const way = [...path, entry.name];
  if (entry.isFile) {
    const file = entry as FileSystemFileEntry;
    return [{ path: way, source: () => new Promise<File>((...settle) => file.file(...settle)) }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: FileAt[] = [];
  // A reader gives some entries at a time, and none when it is through.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((...settle) => reader.readEntries(...settle));
    if (some.length === 0) return found;
    for (const inner of some) found.push(...(await inEntry(inner, way)));
  }
}

/** The files of an input; null for what is no list of files. */
function listed(value: unknown): File[] | null {
  if (typeof value !== "object" || value === null) return null;
  const isList = Symbol.iterator in value || "length" in value;
  const files = isList ? Array.from(value as ArrayLike<File>) : [];
  const areFiles = files.every((file) => typeof file?.webkitRelativePath === "string");
  return isList && areFiles ? files : null;
}

/** The first part of a file's way in an input is the folder that was chosen. */
function ofInput(file: File): FileAt {
  return { path: file.webkitRelativePath.split("/").slice(1), source: () => file };
}

/** What is used of Node's files. */
interface NodeFiles {
  readdir(path: string): Promise<string[]>;
  stat(path: string): Promise<{ isDirectory(): boolean }>;
  realpath(path: string): Promise<string>;
  readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
}

async function inPath(place: string): Promise<FileAt[]> {
  const files = nodeModule<NodeFiles>("fs/promises");
  const folder = pathOf(place);
  if (files && folder === null) {
    throw new GradusError(
      `pictureFiles: ${quote(place)}; expected the path or file: URL of a folder`,
    );
  }
  if (!files || folder === null) {
    throw new GradusError(
      `pictureFiles: the path ${quote(place)} in a page; expected a directory handle or files`,
    );
  }
  const visit = async (path: readonly string[], around: readonly string[]): Promise<FileAt[]> => {
    const way = [folder, ...path].join("/");
    const found = await files.stat(way).catch((error: Error) => {
      if (path.length > 0 && leadsNowhere(error)) return null;
      throw error;
    });
    if (!found) return [];
    if (!found.isDirectory()) {
      return [{ path, source: async () => new Blob([await files.readFile(way)]) }];
    }
    const real = await files.realpath(way);
    if (around.includes(real)) return [];
    const names = await files.readdir(way);
    const within = [...around, real];
    return (await Promise.all(names.map((name) => visit([...path, name], within)))).flat();
  };
  try {
    return await visit([], []);
  } catch (error) {
    throw new GradusError(
      `pictureFiles: ${quote(folder)} cannot be read (${(error as Error).message}); expected a folder`,
      { cause: error },
    );
  }
}

/** Whether there is nothing at a path: a link to what is gone, or to itself. */
function leadsNowhere(error: Error): boolean {
  return ["ENOENT", "ELOOP"].includes((error as Error & { code?: string }).code ?? "");
}
