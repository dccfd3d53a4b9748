/** One number that may be changed while the run goes on: a field, and a slider where it has bounds. */
import { h } from "./dom.js";

const DRAG_MS = 1000; // each value that is sent is an event of the run: a drag shall be a few
const SETTLED_MS = 300; // a key that is held changes the value many times
const ENDLESS = 1e9;
const FEW = 5;

/**
 * @param {{of: string, name: string, value: number, least: number | null, most: number | null, meaning: string}} given
 * @param {import("./actions.js").Actions} actions
 */
export function setting(given, actions) {
  const { of, name, meaning } = given;
  const [least, most] = [bound(given.least), bound(given.most)];
  const exact = h("input.number", { type: "number", min: least, max: most, step: "any", "aria-label": `${of} ${name}${least === null || most === null ? "" : ", exactly"}` });
  const slider = least === null || most === null || most <= least ? null : h("input", { type: "range", min: least, max: most, step: step(given.value, least, most), "aria-label": `${of} ${name}` });
  const said = h("small.said", { role: "status" });
  let now = given.value; // as the run has it
  let wanted = now;
  let [dragging, settling] = [0, 0];

  const put = (/** @type {number} */ value) => {
    wanted = value;
    if (document.activeElement !== exact || Number(exact.value) !== value) exact.value = String(Number(value.toPrecision(6)));
    if (slider && Number(slider.value) !== value) slider.value = String(value);
  };
  const send = async () => {
    clearTimeout(dragging);
    clearTimeout(settling);
    dragging = settling = 0;
    if (wanted === now) return;
    const value = (now = wanted);
    said.textContent = "…";
    const done = await actions.run("tune", { of, name, value });
    said.textContent = done?.ok ? done.words.split(", ").at(-1) || "set" : "refused";
    said.title = done?.words ?? "";
    if (!done?.ok && now === value) put((now = given.value));
  };
  slider?.addEventListener("input", () => {
    put(Number(slider.value));
    dragging ||= setTimeout(send, DRAG_MS);
  });
  slider?.addEventListener("change", () => {
    clearTimeout(settling);
    settling = setTimeout(send, SETTLED_MS);
  });
  exact.addEventListener("change", () => {
    if (exact.value === "" || !Number.isFinite(Number(exact.value))) return put(now);
    put(Number(exact.value));
    send();
  });
  put(now);
  const ends = h("div.row.spread.ends", {}, h("small", {}, least === null ? "" : slider ? plain(least) : `at least ${plain(least)}`), said, h("small", {}, most === null ? "" : slider ? plain(most) : `at most ${plain(most)}`));
  const box = h("div.setting", {}, h("div.row.spread", {}, h("span", {}, name), exact), slider, ends, meaning && h("p.quiet", {}, meaning));
  /** @param {number} value as the run has it now: another viewer may have changed it */
  const show = (value) => {
    given.value = value;
    if (!dragging && !settling && document.activeElement !== exact) put((now = value));
  };
  return { box, show };
}

const plain = (/** @type {number} */ value) => String(Number(value.toPrecision(4)));

/** @param {number | null} value @returns {number | null} null where it bounds nothing */
function bound(value) {
  return value === null || value === undefined || Math.abs(value) > ENDLESS ? null : value;
}

/** Whole numbers go by ones; from 0 to 1 they are rather shares that happen to be whole now. */
function step(value, least, most) {
  return [value, least, most].every(Number.isInteger) && most - least >= FEW ? 1 : (most - least) / 200;
}
