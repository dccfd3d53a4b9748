/** A histogram with two handles: the counts that are drawn black and white. */
import { h, short, theme } from "./dom.js";

const HIGH = 64;

const plain = (/** @type {number} */ value) => String(Number(value.toPrecision(5)));

export class Histogram {
  /** @param {string} image @param {(patch: {low: number, high: number}) => void} changed */
  constructor(image, changed) {
    this.changed = changed;
    this.canvas = h("canvas", { "aria-hidden": "true", height: HIGH });
    this.handles = ["low", "high"].map((which) => h("div.handle", { role: "slider", tabindex: 0, "aria-label": `${which} end of the contrast of ${image}`, class: `handle ${which}` }));
    this.box = h("div.histogram", {}, this.canvas, ...this.handles);
    this.low = 0;
    this.high = 1;
    this.from = 0;
    this.to = 1;
    this.drag = -1;
    this.box.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => this.begin(event));
    this.box.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => this.drag >= 0 && this.set(this.drag, this.value(event.clientX)));
    for (const kind of ["pointerup", "pointercancel"]) this.box.addEventListener(kind, () => (this.drag = -1));
    this.handles.forEach((handle, i) => handle.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.key(event, i)));
  }

  /** @param {import("./picture.js").Seen | null} seen @param {number} low @param {number} high */
  show(seen, low, high, gamma = 1) {
    Object.assign(this, { low, high, gamma, counts: seen?.histogram?.counts ?? [] });
    this.first = seen?.histogram?.from ?? low;
    this.last = seen?.histogram?.to ?? high;
    if (this.drag < 0) this.range();
    this.draw();
  }

  /** What is on the axis: most of the counts and both handles, kept while it still fits, so that it does not flicker. */
  range() {
    const all = Array.from(this.counts).reduce((sum, n) => sum + n, 0);
    const each = (this.last - this.first) / Math.max(this.counts.length, 1);
    let [i, j, below] = [0, this.counts.length - 1, 0];
    while (i < j && (below += this.counts[i]) < all * 0.0005) i++;
    for (let above = 0; j > i && (above += this.counts[j]) < all * 0.0002; ) j--;
    const from = Math.min(this.first + i * each, this.low);
    const to = Math.max(this.first + (j + 1) * each, this.high);
    const span = Math.max(to - from, 1e-6);
    const fits = this.from <= from && this.to >= to && this.to - this.from < span * 1.6;
    if (!fits) [this.from, this.to] = [from - span * 0.06, to + span * 0.12];
  }

  draw() {
    const wide = this.box.clientWidth || 240;
    const ratio = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(wide * ratio)) Object.assign(this.canvas, { width: Math.round(wide * ratio), height: HIGH * ratio });
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, wide, HIGH);
    this.bars(context, wide);
    const [x0, x1] = [this.place(this.low) * wide, this.place(this.high) * wide];
    context.strokeStyle = theme("accent");
    context.lineWidth = 1.5;
    context.beginPath();
    for (let i = 0; i <= 24; i++) context.lineTo(x0 + ((x1 - x0) * i) / 24, HIGH - 2 - (HIGH - 6) * (i / 24) ** (this.gamma ?? 1));
    context.stroke();
    this.handles.forEach((handle, i) => {
      const value = i ? this.high : this.low;
      handle.style.left = `${Math.min(Math.max(this.place(value), 0), 1) * 100}%`;
      handle.setAttribute("aria-valuenow", plain(value));
      handle.setAttribute("aria-valuetext", `${short(value)} counts`);
      handle.setAttribute("aria-valuemin", plain(Math.min(this.from, value)));
      handle.setAttribute("aria-valuemax", plain(Math.max(this.to, value)));
    });
  }

  /** Heights are square roots: few bright pixels show beside a large background. */
  bars(context, wide) {
    const columns = new Float64Array(Math.max(Math.floor(wide), 1));
    const each = (this.last - this.first) / Math.max(this.counts.length, 1);
    const pixel = (this.to - this.from) / columns.length;
    for (let x = 0; x < columns.length; x++) {
      const bin = Math.floor((this.from + (x + 0.5) * pixel - this.first) / each);
      columns[x] = Math.sqrt(this.counts[bin] ?? 0);
    }
    const most = Math.max(...columns, 1e-9);
    context.fillStyle = theme("bars");
    columns.forEach((value, x) => value && context.fillRect(x, HIGH - (value / most) * (HIGH - 6), 1, HIGH));
  }

  place(value) {
    return (value - this.from) / (this.to - this.from);
  }

  value(x) {
    const box = this.box.getBoundingClientRect();
    return this.from + ((x - box.left) / box.width) * (this.to - this.from);
  }

  begin(event) {
    event.preventDefault();
    this.box.setPointerCapture(event.pointerId);
    const value = this.value(event.clientX);
    this.drag = Math.abs(value - this.low) <= Math.abs(value - this.high) ? 0 : 1;
    this.handles[this.drag].focus({ preventScroll: true });
    this.set(this.drag, value);
  }

  set(which, value) {
    const least = (this.to - this.from) / 200;
    if (which) this.high = Math.max(value, this.low + least);
    else this.low = Math.min(value, this.high - least);
    this.draw();
    this.changed({ low: this.low, high: this.high });
  }

  key(event, which) {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (!step) return;
    event.preventDefault();
    this.set(which, (which ? this.high : this.low) + (step * (this.to - this.from)) / 100);
  }
}
