/** Keys of the whole page; the help dialog lists them. */
import { toggleLayers } from "./pictures.js";

/** @param {any} parts store, stage, actions, recolour, help */
export function shortcuts({ store, stage, actions, recolour, help }) {
  const mode = (/** @type {string} */ name) => () => store.set({ mode: name });
  const alone = (/** @type {number} */ step) => () => {
    const names = stage.layout.images.map((/** @type {any} */ image) => image.name);
    const { images } = store.now;
    const at = images.length === 1 ? names.indexOf(images[0]) + step : step > 0 ? 0 : names.length - 1;
    store.set({ mode: "side", images: [names[(at + names.length) % names.length]] });
  };
  /** @type {Record<string, () => void>} */
  const keys = {
    1: mode("side"), 2: mode("swipe"), 3: mode("overlay"),
    f: () => stage.each((/** @type {any} */ view) => view.fit()), 0: () => stage.each((/** @type {any} */ view) => view.zoomTo(1 / devicePixelRatio)),
    "+": () => stage.each((/** @type {any} */ view) => view.zoomBy(1.4)), "=": () => stage.each((/** @type {any} */ view) => view.zoomBy(1.4)),
    "-": () => stage.each((/** @type {any} */ view) => view.zoomBy(1 / 1.4)),
    l: () => store.set({ linked: !store.now.linked }),
    a: () => {
      for (const name of store.shown()) store.setDisplay(name, { low: null, high: null });
    },
    o: () => toggleLayers(store, stage.layout),
    "[": alone(-1), "]": alone(1),
    "\\": () => store.set({ mode: "side", images: stage.layout.images.map((/** @type {any} */ image) => image.name).slice(0, 8) }),
    p: () => actions.run(actions.paused ? "resume" : "pause"), s: () => actions.snapshot(),
    b: () => store.set({ panel: !store.now.panel }), n: () => store.set({ strip: !store.now.strip }),
    t: recolour, "?": help,
  };
  document.addEventListener("keydown", (event) => {
    const at = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && !"+-=".includes(event.key)) return;
    if (at.closest("input:not([type=range]):not([type=checkbox]), textarea, select, dialog")) return;
    const then = keys[event.key.toLowerCase()];
    if (!then) return;
    event.preventDefault();
    then();
  });
}
