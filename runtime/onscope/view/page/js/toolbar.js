/** Above the pictures: how they are laid out, which are shown, and of which place of the acquisition. */
import { by, h, icon } from "./dom.js";

const MODES = [["side", "Side by side"], ["swipe", "Swipe"], ["overlay", "Overlay"]];
const AXES = { c: "Channel", p: "Position", z: "Z", t: "Time" };

/** @param {import("./store.js").Store} store @param {import("./stage.js").Stage} stage */
export function toolbar(store, stage) {
  const seen = /** @type {Record<string, string[]>} */ ({}); // names of the places of each axis, as frames tell them
  let due = false;
  const zoom = zooming(store, stage);
  const build = () => {
    const { mode } = store.now;
    const focused = by("tools").contains(document.activeElement) ? nameOf(document.activeElement) : null;
    const names = stage.layout.images.map((/** @type {any} */ image) => image.name);
    by("tools").replaceChildren(
      h("div.segments", { role: "radiogroup", "aria-label": "layout", onkeydown: (/** @type {KeyboardEvent} */ event) => turn(event, store) }, ...MODES.map(([name, words], i) => segment(store, name, words, i))),
      mode === "side" ? chips(store, names) : pair(store, names, mode),
      h("div.row.where-from", {}, ...cameras(store, stage.layout), ...axes(store, stage.layout, seen)),
      zoom,
    );
    zoom.show();
    if (focused !== null) [...by("tools").querySelectorAll("button, select, input")].find((each) => nameOf(each) === focused)?.focus();
  };
  stage.addEventListener("frame", (/** @type {any} */ { detail }) => {
    const { index = {}, labels = {} } = detail.frame ?? {};
    for (const [axis, at] of Object.entries(index)) {
      const name = labels[axis] ?? seen[axis]?.[at] ?? "";
      if (axis === "t" || !(axis in stage.layout.axes) || seen[axis]?.[at] === name) continue;
      (seen[axis] ??= [])[at] = name;
      due = true;
    }
    if (!due || by("tools").contains(document.activeElement)) return; // not under the user's hands
    due = false;
    build();
  });
  store.watch(["mode", "images"], build);
  return { build };
}

/** Arrows choose among the layouts, as in other groups of which one is chosen. */
function turn(event, store) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const at = MODES.findIndex(([name]) => name === store.now.mode);
  const [name] = MODES[(at + step + MODES.length) % MODES.length];
  store.set({ mode: name });
  by("tools").querySelector("[aria-checked=true]")?.focus();
}

function segment(store, name, words, i) {
  const on = store.now.mode === name;
  return h("button", { role: "radio", "aria-checked": on, tabindex: on ? 0 : -1, title: `${words} (${i + 1})`, "aria-label": words, onclick: () => store.set({ mode: name }) }, icon(/** @type {any} */ (name)), h("span", {}, words));
}

function chips(store, names) {
  const { images } = store.now;
  return h("div.row.chips", { role: "group", "aria-label": "pictures shown" }, ...names.map((name) => {
    const on = images.includes(name);
    return h("button.chip", { "aria-pressed": on, onclick: () => {
      const next = names.filter((/** @type {string} */ each) => (each === name ? !on : images.includes(each)));
      if (next.length && next.length <= 8) store.set({ images: next });
    } }, name);
  }));
}

function pair(store, names, mode) {
  const pick = (/** @type {"a" | "b"} */ which, /** @type {string} */ words) => h("label.row", {}, h("span", {}, words), select(names, store.now[which], (value) => store.set({ [which]: value }), words));
  const [first, second] = mode === "swipe" ? ["Left", "Right"] : ["Below", "Above"];
  if (mode === "swipe") return h("div.row.pair", {}, pick("a", first), pick("b", second));
  const mix = h("input", { type: "range", min: 0, max: 1, step: 0.01, value: store.now.mix, "aria-label": "share of the picture above", oninput: () => store.set({ mix: Number(mix.value) }) });
  const blend = select(["mix", "add"], store.now.blend, (value) => store.set({ blend: value }), "how they are blended");
  return h("div.row.pair", {}, pick("a", first), pick("b", second), mix, blend);
}

/** @param {string[]} values @param {(value: string) => void} changed @param {string[]} [words] */
function select(values, now, changed, label, words = values) {
  const box = h("select", { "aria-label": label }, ...values.map((value, i) => h("option", { value }, words[i])));
  box.value = now;
  box.addEventListener("change", () => changed(box.value));
  return box;
}

function cameras(store, layout) {
  if ((layout.cameras?.length ?? 0) < 2) return [];
  const chosen = layout.cameras.includes(store.now.camera) ? store.now.camera : layout.cameras[0];
  if (chosen !== store.now.camera) store.set({ camera: chosen });
  return [h("label.row", {}, h("span", {}, "Camera"), select([...layout.cameras], chosen, (camera) => store.set({ camera }), "Camera"))];
}

function axes(store, layout, seen) {
  return Object.entries(layout.axes ?? {}).flatMap(([axis, names]) => {
    const told = seen[axis] ?? [];
    const n = Math.max(/** @type {string[]} */ (names).length, told.length);
    if (axis === "t" || n < 2) return [];
    const values = Array.from({ length: n }, (_, i) => String(i));
    const words = values.map((value, i) => told[i] || names[i] || value);
    const changed = (/** @type {string} */ value) => {
      const { [axis]: _, ...rest } = store.now.index;
      store.set({ index: value === "" ? rest : { ...rest, [axis]: Number(value) } });
    };
    const label = AXES[axis] ?? axis;
    return [h("label.row", {}, h("span", {}, label), select(["", ...values], String(store.now.index[axis] ?? ""), changed, label, ["newest", ...words]))];
  });
}

function zooming(store, stage) {
  const button = (/** @type {any} */ name, /** @type {string} */ title, /** @type {() => void} */ then) => h("button.icon-only", { title, "aria-label": title.replace(/ \(.*/, ""), onclick: then }, icon(name));
  const percent = h("button.percent", { title: "One screen pixel per pixel of the frame (0)", onclick: () => stage.each((view) => view.zoomTo(1 / devicePixelRatio)) });
  const show = () => {
    const zoom = (stage.panes[0]?.view.zoom ?? 1) * devicePixelRatio;
    percent.textContent = `${Math.round(zoom * 100)} %`;
  };
  stage.addEventListener("moved", show);
  const link = h("button.icon-only", { title: "Panes move together (L)", "aria-label": "panes move together", "aria-pressed": store.now.linked, onclick: () => store.set({ linked: !store.now.linked }) }, icon("link"));
  store.watch(["linked"], () => link.setAttribute("aria-pressed", String(store.now.linked)));
  const box = h("div.row.zoom", { role: "group", "aria-label": "zoom" }, link,
    button("minus", "Smaller (−)", () => stage.each((view) => view.zoomBy(1 / 1.4))), percent,
    button("plus", "Larger (+)", () => stage.each((view) => view.zoomBy(1.4))), button("fit", "The whole frame (F)", () => stage.each((view) => view.fit())));
  box.show = () => {
    link.hidden = store.now.mode !== "side" || store.now.images.length < 2;
    show();
  };
  return box;
}

const nameOf = (/** @type {any} */ element) => element.getAttribute("aria-label") ?? element.textContent;
