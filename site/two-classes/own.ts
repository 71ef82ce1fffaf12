/** Pictures that the reader brings: files, folders, what is dropped, snapshots of a camera. */
import { pictureFiles } from "gradus/pictures";
import { element } from "../shell/dom.ts";
import { complaint, type OwnPicture } from "./sizes.ts";

type Label = 0 | 1;
const LABELS: readonly Label[] = [0, 1];
/** Pixels of a side of a snapshot. */
const SNAPSHOT = 128;
const BESIDE =
  "Dropped beside the classes; expected pictures on one of the two, or a folder of two folders.";

/** What has happened to the reader's pictures. */
export interface OwnListeners {
  /** There are enough of both classes, and some are new. */
  ready(): void;
  /** Folders have given the classes names. */
  named(first: string, second: string): void;
}

export class OwnPictures {
  #pictures: OwnPicture[] = [];
  #stream: MediaStream | null = null;

  constructor(readonly listeners: OwnListeners) {
    for (const label of LABELS) {
      const input = element(`files-${label}`, HTMLInputElement);
      input.addEventListener("change", () => {
        this.#add([...(input.files ?? [])], label);
        input.value = "";
      });
      const place = element(`class-${label}`);
      place.addEventListener("dragover", (event) => {
        event.preventDefault();
        place.classList.add("over");
      });
      place.addEventListener("dragleave", () => place.classList.remove("over"));
      place.addEventListener("drop", (event) => {
        event.preventDefault();
        place.classList.remove("over");
        void this.#drop(event.dataTransfer, label);
      });
      element(`take-${label}`).addEventListener("click", () => void this.#take(label));
    }
    // What is dropped beside them would be opened in place of the page.
    for (const type of ["dragover", "drop"]) {
      document.addEventListener(type, (event) => {
        if (event.defaultPrevented) return;
        event.preventDefault();
        if (type === "drop") this.#told(BESIDE);
      });
    }
    const folder = element("folder", HTMLInputElement);
    folder.addEventListener("change", () => void this.#folders(folder.files ?? []));
    element("clear").addEventListener("click", () => {
      this.#pictures = [];
      this.#told();
    });
    const camera = element("camera");
    camera.hidden = navigator.mediaDevices?.getUserMedia === undefined;
    camera.addEventListener("click", () => void this.#camera());
    this.#told();
  }

  /** All of them when they are enough; else null. */
  get enough(): readonly OwnPicture[] | null {
    return complaint(this.#pictures) ? null : this.#pictures;
  }

  #add(files: readonly File[], label: Label): void {
    const pictures = files.filter(({ type }) => type.startsWith("image/"));
    for (const file of pictures) this.#pictures.push({ name: file.name, source: file, label });
    this.#told();
    if (pictures.length > 0 && this.enough) this.listeners.ready();
  }

  async #drop(dropped: DataTransfer | null, label: Label): Promise<void> {
    if (!dropped) return;
    const entries = [...dropped.items].map((item) => item.webkitGetAsEntry());
    if (entries.some((entry) => entry?.isDirectory)) await this.#folders(dropped);
    else this.#add([...dropped.files], label);
  }

  /** Takes two class folders for the two classes. */
  async #folders(folder: DataTransfer | FileList | File[]): Promise<void> {
    try {
      const found = await pictureFiles(folder);
      const names = [...new Set(found.map(({ label }) => String(label)))];
      if (names.length !== 2) {
        throw new Error(`${names.length} folders with pictures (${names}); expected two.`);
      }
      this.#pictures = await Promise.all(
        found.map(async ({ name = "", label, source }): Promise<OwnPicture> => {
          const blob = await (source as () => Blob | Promise<Blob>)();
          return { name, source: blob, label: String(label) === names[0] ? 0 : 1 };
        }),
      );
      this.listeners.named(names[0], names[1]);
      this.#told();
      if (this.enough) this.listeners.ready();
    } catch (error) {
      this.#told((error as Error).message);
    }
  }

  async #camera(): Promise<void> {
    const video = element("video", HTMLVideoElement);
    const isOn = this.#stream !== null;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    try {
      if (!isOn) {
        this.#stream = await navigator.mediaDevices.getUserMedia({ video: true });
        video.srcObject = this.#stream;
        await video.play();
      }
    } catch (error) {
      this.#told(`No camera: ${(error as Error).message}.`);
    }
    const isThere = this.#stream !== null;
    video.hidden = !isThere;
    for (const label of LABELS) element(`take-${label}`).hidden = !isThere;
    element("camera").textContent = isThere ? "Turn off the camera" : "Turn on the camera";
  }

  /** Takes a snapshot, the square in the middle. */
  async #take(label: Label): Promise<void> {
    const video = element("video", HTMLVideoElement);
    const side = Math.min(video.videoWidth, video.videoHeight);
    if (side === 0) return;
    const canvas = new OffscreenCanvas(SNAPSHOT, SNAPSHOT);
    const [left, top] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2];
    const context = canvas.getContext("2d");
    context?.drawImage(video, left, top, side, side, 0, 0, SNAPSHOT, SNAPSHOT);
    const blob = await canvas.convertToBlob();
    const name = `snapshot ${this.#pictures.length + 1}`;
    this.#add([new File([blob], name, { type: blob.type })], label);
  }

  /** Tells how many there are, and what is missing or went wrong. */
  #told(problem = ""): void {
    for (const label of LABELS) {
      const count = this.#pictures.filter((picture) => picture.label === label).length;
      element(`count-${label}`).textContent = String(count);
    }
    element("own-problem").textContent =
      problem || (this.#pictures.length > 0 ? complaint(this.#pictures) : "");
  }
}
