/** Wheel, drag, pinch and keys of a pane, as moves of its viewport. */

const PAN = 48;
const KEYS = { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] };

/**
 * @param {HTMLElement} element
 * @param {() => import("./viewport.js").Viewport} view
 * @param {{hover: (x: number, y: number) => void, leave: () => void, click: (x: number, y: number) => void}} told
 */
export function gestures(element, view, told) {
  /** @type {Map<number, [number, number]>} */
  const down = new Map();
  let moved = 0;
  const place = (/** @type {MouseEvent} */ event) => {
    const box = element.getBoundingClientRect();
    return /** @type {[number, number]} */ ([event.clientX - box.left, event.clientY - box.top]);
  };

  element.addEventListener("wheel", (event) => {
    event.preventDefault();
    const [x, y] = place(event);
    const lines = event.deltaMode === 1 ? 16 : 1;
    view().zoomBy(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0018)), x, y);
  }, { passive: false });

  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    down.set(event.pointerId, place(event));
    moved = 0;
  });
  element.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    const before = down.get(event.pointerId);
    if (!before) return told.hover(x, y);
    if (event.pointerType === "touch") told.leave();
    moved += Math.abs(x - before[0]) + Math.abs(y - before[1]);
    const others = [...down].filter(([id]) => id !== event.pointerId);
    if (others.length === 0) view().pan(x - before[0], y - before[1]);
    else pinch(view(), before, [x, y], others[0][1]);
    down.set(event.pointerId, [x, y]);
  });
  const up = (/** @type {PointerEvent} */ event) => {
    const was = down.delete(event.pointerId);
    if (!was || moved >= 5 || event.type !== "pointerup") return;
    told.click(...place(event));
    if (event.pointerType === "touch") told.hover(...place(event)); // a finger does not hover
  };
  element.addEventListener("pointerup", up);
  element.addEventListener("pointercancel", up);
  element.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && told.leave());
  element.addEventListener("dblclick", () => view().fit());

  element.addEventListener("keydown", (event) => {
    const step = KEYS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const far = event.shiftKey ? 4 : 1;
    view().pan(step[0] * far, step[1] * far);
  });
}

/** One finger went from `before` to `now`, while another stays at `still`. */
function pinch(view, before, now, still) {
  const away = (/** @type {number[]} */ from) => Math.hypot(from[0] - still[0], from[1] - still[1]);
  view.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
  if (away(before) > 1) view.zoomBy(away(now) / away(before), (now[0] + still[0]) / 2, (now[1] + still[1]) / 2);
}
