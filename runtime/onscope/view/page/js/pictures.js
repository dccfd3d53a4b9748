/** The tab with contrast, colours and objects of the pictures that are on the screen. */
import { h, icon, short } from "./dom.js";
import { Histogram } from "./histogram.js";
import { MAPS, colourAt } from "./luts.js";
import { COLOURS } from "./vectors.js";

/** @param {import("./store.js").Store} store @param {import("./stage.js").Stage} stage */
export function pictures(store, stage) {
  const cards = h("div.cards");
  const objects = h("div.cards");
  /** @type {Map<string, ReturnType<typeof card>>} */
  let shown = new Map();
  const rebuild = () => {
    shown = new Map([...new Set(store.shown())].map((/** @type {any} */ name) => [name, stage.isLabels(name) ? labels(name, store) : card(name, store, stage)]));
    cards.replaceChildren(...[...shown.values()].map((each) => each.box));
    objects.replaceChildren(...layers(store, stage.layout));
    show();
  };
  const show = () => {
    for (const [name, each] of shown) each.show(stage.seen(name));
  };
  store.watch(["mode", "images", "a", "b", "camera", "index"], rebuild);
  store.watch(["display"], show);
  store.watch(["layers"], () => {
    for (const toggle of objects.querySelectorAll("input[type=checkbox]")) toggle.checked = store.layer(toggle.name).on;
  });
  stage.addEventListener("frame", show);
  const box = h("div.joined", {}, cards, objects);
  return { box, rebuild };
}

/** Contrast, gamma and colours of one picture. */
function card(name, store, stage) {
  const histogram = new Histogram(name, (patch) => store.setDisplay(name, patch));
  const number = (/** @type {"low" | "high"} */ which) => h("input.number", {
    type: "text", inputmode: "decimal", "aria-label": `${which} of ${name}, in counts`,
    onchange: (/** @type {any} */ event) => {
      const text = event.target.value.replace(/\s/g, "");
      if (text === "" || !Number.isFinite(Number(text))) return show(stage.seen(name));
      const { low, high } = { low: histogram.low, high: histogram.high, [which]: Number(text) };
      if (low !== high) store.setDisplay(name, { low: Math.min(low, high), high: Math.max(low, high) });
    },
  });
  const [low, high] = [number("low"), number("high")];
  const auto = h("button.small", { title: "Contrast chosen from every frame's histogram (A)", onclick: () => {
    const fixed = store.display(name).low === null;
    store.setDisplay(name, fixed ? { low: histogram.low, high: histogram.high } : { low: null, high: null });
  } }, "Auto");
  const gamma = h("input", { type: "range", min: -1, max: 1, step: 0.02, "aria-label": `gamma of ${name}`,
    oninput: (/** @type {any} */ event) => store.setDisplay(name, { gamma: Number((4 ** Number(event.target.value)).toFixed(2)) }),
    ondblclick: () => store.setDisplay(name, { gamma: 1 }) });
  const gammaValue = h("output");
  const map = h("select", { "aria-label": `colours of ${name}`, onchange: () => store.setDisplay(name, { map: map.value }) }, ...MAPS.map((each) => h("option", { value: each }, each)));
  const ramp = h("canvas.ramp", { width: 128, height: 1, "aria-hidden": "true" });
  const box = h("section.card", { "aria-label": `contrast of ${name}` },
    h("div.row.spread", {}, h("h3", {}, name), auto),
    histogram.box, h("div.row.spread.numbers", {}, low, high),
    h("div.field", {}, h("span", {}, "Colours"), h("div.row.grow", {}, ramp, map)),
    h("label.field", {}, h("span", {}, "Gamma"), h("div.row.grow", {}, gamma, gammaValue)));
  const show = (/** @type {import("./picture.js").Seen | null} */ seen) => {
    const display = store.display(name);
    histogram.show(seen, display.low ?? seen?.low ?? 0, display.high ?? seen?.high ?? 1, display.gamma);
    for (const [input, value] of [[low, histogram.low], [high, histogram.high]]) if (document.activeElement !== input) input.value = short(value);
    auto.setAttribute("aria-pressed", String(display.low === null));
    if (document.activeElement !== gamma) gamma.value = String(Math.log(display.gamma) / Math.log(4));
    gammaValue.textContent = display.gamma.toFixed(2);
    if (map.value !== display.map) map.value = display.map;
    paintRamp(ramp, display.map);
  };
  return { box, show };
}

function paintRamp(ramp, name) {
  if (ramp.dataset.map === name) return;
  ramp.dataset.map = name;
  const context = ramp.getContext("2d");
  for (let x = 0; x < 128; x++) {
    context.fillStyle = `rgb(${colourAt(name, x / 127).join(" ")})`;
    context.fillRect(x, 0, 1, 1);
  }
}

function labels(name, store) {
  const other = h("button.small", { onclick: () => store.set({ seed: (store.now.seed + 1) % 64 }) }, icon("dice"), "Other colours");
  const box = h("section.card", { "aria-label": `colours of ${name}` }, h("div.row.spread", {}, h("h3", {}, name), other), h("p.quiet", {}, "Labels: each object has a colour of its own."));
  return { box, show: () => {} };
}

function layers(store, layout) {
  const kinds = layout.tables.flatMap((/** @type {any} */ table) => table.kinds.map((/** @type {string} */ kind) => ({ name: `${kind}:${table.name}`, kind, table: table.name })));
  if (!kinds.length) return [];
  const rows = kinds.map((/** @type {any} */ { name, kind, table }) => {
    const now = store.layer(name);
    const toggle = h("input", { type: "checkbox", role: "switch", name, checked: now.on, onchange: () => store.setLayer(name, { on: toggle.checked }) });
    const dot = h("i.dot");
    const paint = () => {
      dot.style.background = COLOURS[store.layer(name).colour] || "conic-gradient(#ff6b6b, #ffd84d, #5cf27f, #45e0ff, #ff6bf0, #ff6b6b)";
    };
    const colour = h("select", { "aria-label": `colour of ${table} ${kind}`, onchange: () => {
      store.setLayer(name, { colour: colour.value });
      paint();
    } }, ...Object.keys(COLOURS).map((each) => h("option", { value: each }, each)));
    colour.value = now.colour;
    paint();
    return h("div.layer", {}, h("label", {}, toggle, h("span", {}, `${table} `, h("small", {}, kind))), dot, colour);
  });
  return [h("section.card", { "aria-label": "objects" }, h("h3", {}, "Objects"), ...rows)];
}

/** All layers on or off. */
export function toggleLayers(store, layout) {
  const names = layout.tables.flatMap((/** @type {any} */ table) => table.kinds.map((/** @type {string} */ kind) => `${kind}:${table.name}`));
  const on = names.some((/** @type {string} */ name) => store.layer(name).on);
  for (const name of names) store.setLayer(name, { on: !on });
}
