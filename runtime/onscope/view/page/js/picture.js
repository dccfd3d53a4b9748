/** One picture of an update, coloured: kept as a canvas of its own, made again only when pixels or colours changed. */
import { labelTable, table } from "./luts.js";

/**
 * @typedef {{array: import("./wire.js").Numbers, rect: number[], low: number, high: number, image: string,
 *   histogram: {counts: ArrayLike<number>, from: number, to: number} | null}} Seen
 */

export class Picture {
  constructor() {
    /** @type {Seen | null} */
    this.seen = null;
    this.canvas = document.createElement("canvas");
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.made = "";
  }

  /** @param {Seen} seen */
  take(seen) {
    this.seen = seen;
    this.made = "";
  }

  /** Colour it. @param {import("./store.js").Display} display @param {number | null} seed of label colours, null for intensities */
  paint(display, seed) {
    if (!this.seen) return;
    const { low, high } = this.seen;
    const want = [display.low ?? low, display.high ?? high];
    const made = `${display.map} ${display.gamma} ${want} ${low} ${high} ${seed}`;
    if (made === this.made) return;
    this.made = made;
    const { data, shape } = this.seen.array;
    const [rows, columns] = shape;
    if (this.canvas.width !== columns || this.canvas.height !== rows) Object.assign(this.canvas, { width: columns, height: rows });
    const image = new ImageData(columns, rows);
    const pixels = new Uint32Array(image.data.buffer);
    if (shape.length === 3) colours(pixels, data, shape[2]);
    else if (seed !== null) look(pixels, data, labels(seed), 0xffff);
    else look(pixels, data, table(display.map, display.gamma, [low, high], /** @type {[number, number]} */ (want)), 0xff);
    this.context.putImageData(image, 0, 0);
  }

  /** Counts at a place of the raw frame, as far as 8 bits tell them. @returns {number | null} */
  at(y, x) {
    if (!this.seen || this.seen.array.shape.length === 3) return null;
    const { array, rect, low, high } = this.seen;
    const [rows, columns] = array.shape;
    const row = Math.floor(((y - rect[0]) / (rect[2] - rect[0])) * rows);
    const column = Math.floor(((x - rect[1]) / (rect[3] - rect[1])) * columns);
    if (row < 0 || column < 0 || row >= rows || column >= columns) return null;
    const value = array.data[row * columns + column];
    return array.dtype === "|u1" ? low + (value / 255) * (high - low) : value;
  }

  /** Draw it where it belongs. @param {CanvasRenderingContext2D} to @param {import("./viewport.js").Viewport} view */
  draw(to, view, ratio, crisp) {
    if (!this.seen) return;
    const { rect, array } = this.seen;
    const [x0, y0] = view.pane(rect[0], rect[1]);
    const [x1, y1] = view.pane(rect[2], rect[3]);
    to.imageSmoothingEnabled = !crisp && ((x1 - x0) * ratio) / array.shape[1] < 3; // larger pixels are shown as they are
    to.drawImage(this.canvas, x0 * ratio, y0 * ratio, (x1 - x0) * ratio, (y1 - y0) * ratio);
  }
}

function look(pixels, data, colour, mask) {
  for (let i = 0; i < pixels.length; i++) pixels[i] = colour[data[i] & mask];
}

function colours(pixels, data, samples) {
  for (let i = 0, at = 0; i < pixels.length; i++, at += samples) {
    pixels[i] = (0xff000000 | (data[at + 2] << 16) | (data[at + 1] << 8) | data[at]) >>> 0;
  }
}

/** @type {Map<number, Uint32Array>} */
const tables = new Map();
function labels(seed) {
  if (!tables.has(seed)) tables.set(seed, labelTable(seed));
  return /** @type {Uint32Array} */ (tables.get(seed));
}
