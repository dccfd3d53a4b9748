/** One pane: one or two pictures, the objects over them, a scale bar and what is under the pointer. */
import { h, icon, short } from "./dom.js";
import { gestures } from "./gestures.js";
import { Picture } from "./picture.js";
import { scaleBar } from "./scalebar.js";
import { COLOURS, drawVectors, find, identity } from "./vectors.js";
import { Viewport } from "./viewport.js";

export class Pane {
  /**
   * @param {string[]} images one; or two, of which the second lies over the first
   * @param {import("./stage.js").Stage} stage
   */
  constructor(images, stage) {
    Object.assign(this, { images, stage, store: stage.store });
    this.view = new Viewport();
    /** @type {Map<string, Picture>} */
    this.pictures = new Map(images.map((name) => [name, new Picture()]));
    this.under = /** @type {[number, number] | null} */ (null);
    this.canvas = h("canvas.picture", { role: "img", "aria-label": `live picture: ${images.join(" and ")}` });
    this.over = h("canvas.over", { "aria-hidden": "true" });
    this.bar = h("div.scalebar", { "aria-hidden": "true" }, h("span"), h("i"));
    this.where = h("output.where", { "aria-live": "off" });
    this.tip = h("div.tip", { role: "tooltip", hidden: true });
    this.empty = h("p.empty", {}, "waiting for a picture");
    this.caption = h("div.caption", {}, ...images.map((name, i) => h("span.name", { class: i ? "name second" : "name first" }, name)), ...this.buttons());
    this.box = h(
      "section.pane", { tabindex: 0, role: "group", "aria-label": `${images.join(" and ")}: arrow keys pan, plus and minus zoom, F fits` },
      this.canvas, this.over, this.empty, this.caption, this.bar, this.where, this.tip,
    );
    gestures(this.box, () => this.view, {
      hover: (x, y) => this.hover(x, y), leave: () => this.leave(), click: (x, y) => stage.choose(this.found(...this.view.raw(x, y))?.who ?? null),
    });
    this.view.addEventListener("change", () => this.stage.moved(this));
  }

  buttons() {
    if (this.images.length > 1 || this.stage.panesWanted() < 2) return [];
    const [name] = this.images;
    const only = h("button.icon-only", { title: `Show ${name} alone`, "aria-label": `show ${name} alone` }, icon("whole"));
    only.addEventListener("click", () => this.store.set({ images: [name] }));
    const bare = () => this.store.now.bare.includes(name);
    const eye = h("button.icon-only", { title: "Objects over this picture", "aria-label": `objects over ${name}`, "aria-pressed": !bare() }, icon("eye"));
    eye.addEventListener("click", () => {
      this.store.set({ bare: bare() ? this.store.now.bare.filter((/** @type {string} */ each) => each !== name) : [...this.store.now.bare, name] });
      eye.setAttribute("aria-pressed", String(!bare()));
    });
    for (const button of [only, eye]) for (const kind of ["pointerdown", "dblclick"]) button.addEventListener(kind, (/** @type {Event} */ event) => event.stopPropagation());
    return this.stage.layout.tables.length ? [eye, only] : [only];
  }

  measure() {
    const { clientWidth, clientHeight } = this.box;
    this.ratio = Math.min(window.devicePixelRatio || 1, 3);
    for (const canvas of [this.canvas, this.over]) {
      const [width, height] = [Math.round(clientWidth * this.ratio), Math.round(clientHeight * this.ratio)];
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    }
    this.view.resize(clientWidth, clientHeight);
  }

  draw() {
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    context.clearRect(0, 0, width, height);
    const [x, y] = this.view.pane(0, 0);
    context.fillStyle = "#000"; // where there are no labels, and behind pictures that are mixed
    context.fillRect(x * this.ratio, y * this.ratio, this.view.width * this.view.zoom * this.ratio, this.view.height * this.view.zoom * this.ratio);
    const two = this.images.length > 1;
    this.images.forEach((name, i) => {
      const picture = /** @type {Picture} */ (this.pictures.get(name));
      const labels = this.stage.isLabels(name);
      picture.paint(this.store.display(name), labels ? this.store.now.seed : null);
      context.save();
      if (two && this.store.now.mode === "swipe") clip(context, i, this.store.now.divider * width, width, height);
      if (two && this.store.now.mode === "overlay") this.blend(context, i);
      picture.draw(context, this.view, this.ratio, labels);
      context.restore();
    });
    this.empty.hidden = this.images.some((name) => this.pictures.get(name)?.seen);
    this.drawOver();
  }

  blend(context, i) {
    const { blend, mix } = this.store.now;
    if (blend === "add") {
      context.globalCompositeOperation = i ? "lighter" : "source-over";
      context.globalAlpha = Math.min(1, i ? 2 * mix : 2 - 2 * mix);
    } else if (i) {
      context.globalAlpha = mix;
    }
  }

  drawOver() {
    const context = this.over.getContext("2d");
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.box.clientWidth, this.box.clientHeight);
    for (const vectors of this.layers()) {
      drawVectors(context, vectors, this.stage.tables[vectors.table], this.view, COLOURS[this.store.layer(vectors.name).colour] ?? "", this.stage.chosen);
    }
    const bar = scaleBar(this.view.zoom, this.stage.layout.pixel_size_um, Math.min(140, this.view.box.width / 4));
    this.bar.firstChild.textContent = bar.words;
    this.bar.lastChild.style.width = `${bar.width}px`;
    const [right, bottom] = this.view.pane(this.view.height, this.view.width);
    this.bar.style.right = `${Math.max(this.view.box.width - right, 0) + 10}px`;
    this.bar.style.bottom = `${Math.max(this.view.box.height - bottom, 0) + 10}px`;
    if (this.under) this.hover(...this.under);
  }

  /** The layers that are switched on. */
  layers() {
    if (this.images.length === 1 && this.store.now.bare.includes(this.images[0])) return [];
    return this.stage.vectorsFor(this).filter((vectors) => this.store.layer(vectors.name).on);
  }

  /** The object at y, x of the raw frame. */
  found(y, x) {
    for (const vectors of this.layers().toReversed()) {
      const row = find(vectors, y, x, this.view.zoom);
      const columns = this.stage.tables[vectors.table];
      if (row >= 0) return { table: vectors.table, row, who: identity(columns, row), columns };
    }
    return null;
  }

  hover(x, y) {
    this.under = [x, y];
    const [rawY, rawX] = this.view.raw(x, y);
    const values = this.images.map((name) => [name, this.pictures.get(name)?.at(rawY, rawX)]).filter(([, value]) => value != null);
    this.where.textContent = values.length === 0 ? "" : [
      `y ${Math.floor(rawY)}  x ${Math.floor(rawX)}`,
      ...values.map(([name, value]) => `${values.length > 1 ? `${name} ` : ""}${short(this.stage.isWhole(name) ? Math.round(/** @type {number} */ (value)) : /** @type {number} */ (value))}`),
    ].join("   ");
    this.showTip(this.found(rawY, rawX), x, y);
  }

  showTip(found, x, y) {
    this.tip.hidden = !found;
    if (!found) return;
    const rows = Object.entries(found.columns ?? {}).slice(0, 14).map(([name, column]) => h("div", {}, h("dt", {}, name), h("dd", {}, short(Number(column[found.row])))));
    this.tip.replaceChildren(h("b", {}, `${found.table} ${found.who}`), h("dl", {}, ...rows));
    const { width, height } = this.view.box;
    const [wide, high] = [this.tip.offsetWidth, this.tip.offsetHeight];
    this.tip.style.left = `${x + 18 + wide > width ? Math.max(x - wide - 14, 4) : x + 18}px`;
    this.tip.style.top = `${Math.max(Math.min(y + 14, height - high - 6), 4)}px`;
  }

  leave() {
    this.under = null;
    this.tip.hidden = true;
    this.where.textContent = "";
  }
}

function clip(context, i, at, width, height) {
  context.beginPath();
  context.rect(i ? at : 0, 0, i ? width - at : at, height);
  context.clip();
}
