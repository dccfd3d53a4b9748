/** Which part of the raw frame a pane shows. Panes that are linked share one. */

const MOST = 64; // screen pixels per raw pixel

export class Viewport extends EventTarget {
  constructor() {
    super();
    this.height = 1;
    this.width = 1;
    this.box = { width: 1, height: 1 };
    this.fitted = true;
    this.y = 0.5;
    this.x = 0.5;
    this.zoom = 1;
  }

  /** @param {number} height @param {number} width of the raw frame, in pixels */
  frame(height, width) {
    if (height === this.height && width === this.width) return;
    [this.height, this.width] = [height, width];
    this.fit();
  }

  /** The pane's size in CSS pixels. @param {number} width @param {number} height */
  resize(width, height) {
    if (width === this.box.width && height === this.box.height) return;
    this.box = { width: Math.max(width, 1), height: Math.max(height, 1) };
    if (this.fitted) this.fit();
    else this.changed();
  }

  get fitting() {
    return Math.min(this.box.width / this.width, this.box.height / this.height);
  }

  fit() {
    Object.assign(this, { fitted: true, zoom: this.fitting, y: this.height / 2, x: this.width / 2 });
    this.changed();
  }

  /** Zoom by a factor; the raw pixel under (x, y) of the pane stays there. */
  zoomBy(factor, x = this.box.width / 2, y = this.box.height / 2) {
    this.zoomTo(this.zoom * factor, x, y);
  }

  /** @param {number} zoom CSS pixels per raw pixel */
  zoomTo(zoom, x = this.box.width / 2, y = this.box.height / 2) {
    const [rawY, rawX] = this.raw(x, y);
    this.zoom = Math.min(Math.max(zoom, this.fitting * 0.5), MOST);
    this.y = rawY - (y - this.box.height / 2) / this.zoom;
    this.x = rawX - (x - this.box.width / 2) / this.zoom;
    this.fitted = false;
    this.keep();
  }

  /** Move the picture by CSS pixels. */
  pan(dx, dy) {
    this.x -= dx / this.zoom;
    this.y -= dy / this.zoom;
    this.fitted = false;
    this.keep();
  }

  /** Be where another one is. @param {Viewport} other */
  follow(other) {
    Object.assign(this, { height: other.height, width: other.width, fitted: other.fitted, y: other.y, x: other.x, zoom: other.zoom });
    this.changed();
  }

  keep() {
    this.x = Math.min(Math.max(this.x, 0), this.width);
    this.y = Math.min(Math.max(this.y, 0), this.height);
    this.changed();
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  /** @returns {[number, number]} y, x of the raw frame's edges at (x, y) of the pane */
  raw(x, y) {
    return [this.y + (y - this.box.height / 2) / this.zoom, this.x + (x - this.box.width / 2) / this.zoom];
  }

  /** @returns {[number, number]} x, y of the pane at y, x of the raw frame */
  pane(y, x) {
    return [(x - this.x) * this.zoom + this.box.width / 2, (y - this.y) * this.zoom + this.box.height / 2];
  }

  /** What to ask for: the part of the frame on the screen with a margin to pan into, null for all of it. */
  part(margin = 0.15) {
    const high = (this.box.height / this.zoom) * (0.5 + margin);
    const wide = (this.box.width / this.zoom) * (0.5 + margin);
    const rect = [
      Math.max(Math.floor(this.y - high), 0), Math.max(Math.floor(this.x - wide), 0),
      Math.min(Math.ceil(this.y + high), this.height), Math.min(Math.ceil(this.x + wide), this.width),
    ];
    return rect[0] === 0 && rect[1] === 0 && rect[2] === this.height && rect[3] === this.width ? null : rect;
  }
}
