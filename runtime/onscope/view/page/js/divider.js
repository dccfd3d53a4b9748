/** The line of a swipe comparison, moved by pointer or keys. */
import { h } from "./dom.js";

/** @param {import("./store.js").Store} store */
export function divider(store) {
  const line = h("div.divider", { role: "slider", tabindex: 0, "aria-label": "place of the comparison", "aria-valuemin": 0, "aria-valuemax": 100 }, h("i"));
  const set = (/** @type {number} */ value) => {
    store.set({ divider: Math.min(Math.max(value, 0), 1) });
    place();
  };
  const place = () => {
    line.style.left = `${store.now.divider * 100}%`;
    line.setAttribute("aria-valuenow", String(Math.round(store.now.divider * 100)));
  };
  line.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    event.stopPropagation();
    line.setPointerCapture(event.pointerId);
  });
  line.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
    event.stopPropagation();
    if (!line.hasPointerCapture(event.pointerId)) return;
    const box = line.parentElement.getBoundingClientRect();
    set((event.clientX - box.left) / box.width);
  });
  line.addEventListener("pointerup", (/** @type {PointerEvent} */ event) => event.stopPropagation());
  line.addEventListener("dblclick", (/** @type {Event} */ event) => {
    event.stopPropagation();
    set(0.5);
  });
  line.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    set(store.now.divider + step);
  });
  place();
  return line;
}
