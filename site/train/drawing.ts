import { context2d, element, paintDigit } from "../shell/dom.ts";
import { color, onTheme } from "../shell/theme.ts";
import { toMnist } from "./preprocess.ts";

/** Width of the pen on a pad of 280 × 280: about 2 of the 20 pixels that a digit will have. */
const PEN = 22;
/** How far an arrow key moves the pen. */
const KEY_STEP = 14;

const ARROWS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

interface Point {
  readonly x: number;
  readonly y: number;
}

/** The pad on which digits are drawn, with mouse, finger, pen or keyboard. */
export class Drawing {
  readonly #pad = element("pad", HTMLCanvasElement);
  readonly #context = context2d(this.#pad);
  #last: Point | null = null;
  readonly #pen = element("pen");
  #keyPen: Point = { x: 140, y: 70 };
  #keyDown = false;

  /** `onChange` gets the image as the network is to see it, null when the pad is empty. */
  constructor(readonly onChange: (pixels: Float32Array | null) => void) {
    Object.assign(this.#context, { lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    this.#pad.addEventListener("pointerdown", (event) => this.#begin(event));
    this.#pad.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"] as const) {
      this.#pad.addEventListener(name, () => {
        this.#last = null;
      });
    }
    this.#pad.addEventListener("keydown", (event) => this.#key(event));
    element("clear").addEventListener("click", () => this.clear());
    this.#showPen();
    onTheme(() => this.#repaint());
    this.clear();
  }

  clear(): void {
    this.#context.clearRect(0, 0, this.#pad.width, this.#pad.height);
    this.#changed();
  }

  /** The present image, [784], or null when the pad is empty. */
  get pixels(): Float32Array | null {
    const { width, height } = this.#pad;
    const { data } = this.#context.getImageData(0, 0, width, height);
    const ink = new Float32Array(width * height);
    for (let i = 0; i < ink.length; i++) ink[i] = data[4 * i + 3] / 255;
    return toMnist(ink, width, height);
  }

  #changed(): void {
    const { pixels } = this;
    const seen = pixels ? pixels.map((x) => 255 * x) : new Float32Array(784);
    paintDigit(element("seen", HTMLCanvasElement), seen);
    this.onChange(pixels);
  }

  #begin(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#pad.setPointerCapture(event.pointerId);
    this.#last = this.#place(event);
    this.#line(this.#last, this.#last);
  }

  #move(event: PointerEvent): void {
    if (!this.#last) return;
    // A browser may bundle several movements in one event.
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length > 0 ? events : [event]) {
      const next = this.#place(each);
      this.#stroke(this.#last, next);
      this.#last = next;
    }
    this.#changed();
  }

  #key(event: KeyboardEvent): void {
    const arrow = ARROWS[event.key];
    if (arrow) {
      const inside = (x: number) => Math.max(PEN, Math.min(this.#pad.width - PEN, x));
      const from = this.#keyPen;
      const [dx, dy] = arrow;
      this.#keyPen = { x: inside(from.x + dx * KEY_STEP), y: inside(from.y + dy * KEY_STEP) };
      if (this.#keyDown) this.#line(from, this.#keyPen);
    } else if (event.key === " ") {
      this.#keyDown = !this.#keyDown;
      if (this.#keyDown) this.#line(this.#keyPen, this.#keyPen);
    } else if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else return;
    event.preventDefault();
    this.#showPen();
  }

  /** Shows where the keyboard's pen is, and whether it is down. */
  #showPen(): void {
    this.#pen.style.insetInlineStart = `${(100 * this.#keyPen.x) / this.#pad.width}%`;
    this.#pen.style.insetBlockStart = `${(100 * this.#keyPen.y) / this.#pad.height}%`;
    this.#pen.classList.toggle("down", this.#keyDown);
  }

  /** Gives what is drawn the colour of ink in the present theme. */
  #repaint(): void {
    const { height, width } = this.#pad;
    Object.assign(this.#context, {
      globalCompositeOperation: "source-in",
      fillStyle: color("--text"),
    });
    this.#context.fillRect(0, 0, width, height);
    this.#context.globalCompositeOperation = "source-over";
  }

  #line(from: Point, to: Point): void {
    this.#stroke(from, to);
    this.#changed();
  }

  #stroke(from: Point, to: Point): void {
    this.#context.strokeStyle = color("--text");
    this.#context.beginPath();
    this.#context.moveTo(from.x, from.y);
    this.#context.lineTo(to.x, to.y);
    this.#context.stroke();
  }

  /** Where on the canvas a pointer is. */
  #place({ clientX, clientY }: PointerEvent): Point {
    const { left, top, width, height } = this.#pad.getBoundingClientRect();
    return {
      x: ((clientX - left) / width) * this.#pad.width,
      y: ((clientY - top) / height) * this.#pad.height,
    };
  }
}
