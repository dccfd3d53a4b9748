/** The panes and what they show: asks the server for the pictures that are on the screen, and draws what comes. */
import { divider } from "./divider.js";
import { Pane } from "./pane.js";
import { tablesOf, vectorsOf } from "./vectors.js";

const ASK_MS = 70; // between two requests while something is dragged
const SHARPEST = 2048; // pixels along a side that are asked for at most: more slows a tablet and is hardly seen

export class Stage extends EventTarget {
  /** @param {HTMLElement} box @param {import("./store.js").Store} store @param {import("./connection.js").Connection} link */
  constructor(box, store, link) {
    super();
    Object.assign(this, { box, store, link });
    /** @type {Pane[]} */
    this.panes = [];
    this.tables = {};
    this.vectors = new Map();
    /** @type {any} */
    this.frame = null;
    /** @type {number | null} */
    this.chosen = null;
    this.layout = { images: [], tables: [], shape: [1, 1], pixel_size_um: null };
    new ResizeObserver(() => this.arrange()).observe(box);
    store.watch(["mode", "images", "a", "b"], () => this.rebuild());
    store.watch(["linked"], () => this.link_());
    store.watch(["display", "layers", "bare", "camera", "index"], () => this.ask());
    store.watch(["display", "layers", "bare", "seed", "divider", "mix", "blend"], () => this.redraw());
    link.addEventListener("update", (/** @type {any} */ { detail }) => this.take(detail));
  }

  setLayout(layout) {
    this.layout = layout;
    const names = layout.images.map((/** @type {any} */ image) => image.name);
    const { images, a, b } = this.store.now;
    this.store.labels = new Set(layout.images.filter((/** @type {any} */ image) => image.labels).map((/** @type {any} */ image) => image.name));
    this.store.kinds = Object.fromEntries(layout.tables.map((/** @type {any} */ table) => [table.name, table.kinds]));
    const kept = images.filter((/** @type {string} */ name) => names.includes(name));
    this.store.set({
      images: kept.length ? kept : names.slice(0, 4), a: names.includes(a) ? a : names[0], b: names.includes(b) ? b : (names[1] ?? names[0]),
    });
  }

  isLabels(name) {
    return this.layout.images.find((/** @type {any} */ image) => image.name === name)?.labels ?? false;
  }

  /** Whether an image has whole numbers: counts or labels. @param {string} name */
  isWhole(name) {
    return /int/.test(this.layout.images.find((/** @type {any} */ image) => image.name === name)?.dtype ?? "");
  }

  panesWanted() {
    return this.store.now.mode === "side" ? this.store.now.images.length : 1;
  }

  rebuild() {
    const { mode, images } = this.store.now;
    const wanted = mode === "side" ? images.map((/** @type {string} */ name) => [name]) : [this.store.shown()];
    const view = this.panes[0]?.view;
    const old = this.panes.flatMap((pane) => [...pane.pictures]);
    this.panes = wanted.map((/** @type {string[]} */ names) => new Pane(names, this));
    for (const pane of this.panes) {
      for (const [name, picture] of old) {
        if (pane.pictures.has(name) && picture.seen) pane.pictures.get(name)?.take(picture.seen);
      }
      pane.view.frame(this.layout.shape[0], this.layout.shape[1]);
    }
    const focused = this.box.contains(document.activeElement);
    this.box.replaceChildren(...this.panes.map((pane) => pane.box));
    if (focused) this.panes[0]?.box.focus();
    if (mode === "swipe" && this.store.shown().length > 1) this.panes[0].box.append(divider(this.store));
    this.arrange();
    if (view && !view.fitted) for (const pane of this.panes) pane.view.follow(view);
    this.ask();
  }

  /** As many columns as make the pictures largest. */
  arrange() {
    const n = this.panes.length;
    if (!n) return;
    const { clientWidth: wide, clientHeight: high } = this.box;
    const [rows, columns] = this.layout.shape;
    let best = 1;
    let size = 0;
    for (let c = 1; c <= n; c++) {
      const each = Math.min(wide / c / columns, high / Math.ceil(n / c) / rows);
      const rated = each * (n % c ? 1 : 1.15); // no empty place, unless the pictures are much larger with one
      if (rated > size * 1.001) [best, size] = [c, rated];
    }
    this.box.style.gridTemplateColumns = `repeat(${best}, minmax(0, 1fr))`;
    for (const pane of this.panes) pane.measure();
    this.redraw();
    this.ask();
  }

  /** @param {Pane} pane whose viewport has changed */
  moved(pane) {
    if (this.store.now.linked && !this.following) {
      this.following = true;
      for (const other of this.panes) if (other !== pane) other.view.follow(pane.view);
      this.following = false;
    }
    this.redraw();
    this.ask();
    this.dispatchEvent(new Event("moved"));
  }

  link_() {
    if (this.store.now.linked && this.panes.length) this.moved(this.panes[0]);
    this.ask();
  }

  /** Ask for what is on the screen, soon, and not more often than makes sense. */
  ask() {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const views = this.wanted();
      const text = JSON.stringify(views);
      if (text !== this.asked && views.length) {
        this.asked = text;
        this.link.show(views);
      }
    }, ASK_MS);
  }

  wanted() {
    const { camera, index } = this.store.now;
    const layers = this.layout.tables.flatMap((/** @type {any} */ table) => table.kinds.map((/** @type {string} */ kind) => `${kind}:${table.name}`));
    const vectors = layers.filter((/** @type {string} */ name) => this.store.layer(name).on);
    return this.panes.flatMap((pane, n) => pane.images.map((name, i) => {
      const { low, high } = this.store.display(name);
      const rect = pane.view.part();
      const [y0, x0, y1, x1] = rect ?? [0, 0, ...this.layout.shape];
      const finest = Math.max(1, this.layout.images.find((/** @type {any} */ image) => image.name === name)?.scale ?? 1);
      const sharp = Math.min(pane.view.zoom * (pane.ratio ?? 1), finest);
      const most = Math.min(sharp, SHARPEST / Math.max(y1 - y0, x1 - x0));
      return {
        id: this.layout.images.findIndex((/** @type {any} */ image) => image.name === name) + 1, image: name, camera, index, rect,
        size: [Math.max(1, Math.round((y1 - y0) * most)), Math.max(1, Math.round((x1 - x0) * most))],
        bits: this.isLabels(name) ? 16 : 8, low, high, vectors: i === 0 && (n === 0 || !this.store.now.linked) ? vectors : [],
      };
    })).slice(0, 8);
  }

  /** @param {import("./wire.js").Update} update */
  take({ head, arrays }) {
    if (head.snapshot !== undefined) {
      this.dispatchEvent(new CustomEvent("snapshot", { detail: { name: head.snapshot, bytes: arrays[0].data } }));
      return; // it took no credit
    }
    this.frame = head.frame;
    this.tables = tablesOf(head, arrays);
    this.vectors = new Map(head.views.map((/** @type {any} */ view) => [view.image, vectorsOf(head, arrays, view.id)]));
    for (const view of head.views) {
      const { histogram, array, rect, low, high, image } = view;
      const counts = histogram ? { counts: arrays[histogram.array].data, from: histogram.from, to: histogram.to } : null;
      const seen = { array: arrays[array], rect, low: low ?? 0, high: high ?? 65535, image, histogram: counts };
      for (const pane of this.panes) pane.pictures.get(image)?.take(seen);
    }
    this.dispatchEvent(new CustomEvent("frame", { detail: head }));
    requestAnimationFrame(() => {
      this.draw();
      this.link.drawn();
    });
  }

  vectorsFor(pane) {
    const from = this.store.now.linked ? this.panes[0] : pane;
    return this.vectors.get(from.images[0]) ?? [];
  }

  choose(who) {
    this.chosen = who === this.chosen ? null : who;
    this.redraw();
  }

  redraw() {
    this.due ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    if (this.due) cancelAnimationFrame(this.due);
    this.due = undefined;
    for (const pane of this.panes) pane.draw();
  }

  /** The newest picture of an image. @returns {import("./picture.js").Seen | null} */
  seen(image) {
    return this.panes.map((pane) => pane.pictures.get(image)?.seen).find(Boolean) ?? null;
  }

  /** Do something with the viewport of the pane that has the focus, or of all. @param {(view: any) => void} what */
  each(what) {
    const pane = this.panes.find((one) => one.box.contains(document.activeElement));
    if (this.store.now.linked || pane) what((pane ?? this.panes[0])?.view);
    else for (const one of this.panes) what(one.view);
  }
}
