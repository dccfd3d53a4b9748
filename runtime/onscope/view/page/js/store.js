/**
 * What the user has set. It outlives a reload of the page in its tab, and a restart of the server.
 *
 * @typedef {{low: number | null, high: number | null, gamma: number, map: string}} Display
 * @typedef {{on: boolean, colour: string}} Layer
 * @typedef {"side" | "swipe" | "overlay"} Mode
 */

const KEY = "onscope.view";
const START = {
  mode: "side", images: [], a: "", b: "", divider: 0.5, mix: 0.5, blend: "add", camera: "", index: {}, linked: true,
  display: {}, layers: {}, bare: [], seed: 0, panel: true, strip: true, tab: "picture", log: true,
};

export class Store extends EventTarget {
  constructor() {
    super();
    /** @type {any} */
    this.now = { ...START, ...read() };
    /** @type {Set<string>} names of the label images, which have colours of their own */
    this.labels = new Set();
    /** @type {Record<string, string[]>} how each table can be drawn */
    this.kinds = {};
  }

  /** Change some of it; listeners are told the names. @param {Record<string, any>} patch */
  set(patch) {
    Object.assign(this.now, patch);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => sessionStorage.setItem(KEY, JSON.stringify(this.now)), 300);
    this.dispatchEvent(new CustomEvent("change", { detail: Object.keys(patch) }));
  }

  /** @param {string[]} names @param {() => void} then called now and whenever one of them changes */
  watch(names, then) {
    this.addEventListener("change", (/** @type {any} */ { detail }) => {
      if (detail.some((/** @type {string} */ name) => names.includes(name))) then();
    });
  }

  /** How an image is shown: of a channel and a camera, and in an overlay its own. @param {string} image @returns {Display} */
  display(image) {
    const base = { low: null, high: null, gamma: 1, map: this.usual(image) };
    return { ...base, ...this.now.display[this.key(image)] };
  }

  /** @param {string} image @param {Partial<Display>} patch */
  setDisplay(image, patch) {
    this.set({ display: { ...this.now.display, [this.key(image)]: { ...this.display(image), ...patch } } });
  }

  key(image) {
    const { mode, camera, index } = this.now;
    return [image, camera, index.c ?? "", mode === "overlay" ? "overlay" : ""].join("|");
  }

  usual(image) {
    const { mode, a, b } = this.now;
    if (mode !== "overlay" || a === b || this.labels.has(a) || this.labels.has(b)) return "grey";
    return image === a ? "green" : "magenta";
  }

  /** @param {string} name "KIND:TABLE" @returns {Layer} */
  layer(name) {
    const [kind, table] = name.split(":");
    const others = this.kinds[table] ?? [];
    const more = { boxes: ["outlines"], spots: ["outlines", "boxes", "tails"] }[kind] ?? []; // what says the same, and more
    return { on: !more.some((each) => others.includes(each)), colour: kind === "tails" ? "each own" : "yellow", ...this.now.layers[name] };
  }

  setLayer(name, patch) {
    this.set({ layers: { ...this.now.layers, [name]: { ...this.layer(name), ...patch } } });
  }

  /** The images that are on the screen now. @returns {string[]} */
  shown() {
    const { mode, images, a, b } = this.now;
    return mode === "side" ? images : a === b ? [a] : [a, b];
  }
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
  } catch {
    return {};
  }
}
