/** Questions, help, and short notes that go away by themselves. */
import { by, h } from "./dom.js";

const MOST_NOTES = 3;

/**
 * Ask before something that cannot be taken back.
 * @param {{title: string, words: string, yes: string, danger?: boolean}} question
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, words, yes, danger = false }) {
  return new Promise((resolve) => {
    const ok = h("button", { class: danger ? "danger" : "primary", value: "yes", type: "submit" }, yes);
    const no = h("button", { value: "no", type: "submit", autofocus: true }, "Cancel");
    open(title, h("p", {}, words), h("div.row.end", {}, no, ok), (value) => resolve(value === "yes"));
  });
}

/** @param {string} title @param {Node} body @param {Node} feet @param {(value: string) => void} closed */
export function open(title, body, feet, closed = () => {}) {
  const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, h("form", { method: "dialog" }, h("h2", { id: "dialog-title" }, title), body, feet));
  dialog.addEventListener("close", () => {
    closed(dialog.returnValue);
    dialog.remove();
  });
  dialog.addEventListener("click", (/** @type {MouseEvent} */ event) => event.target === dialog && dialog.close("no"));
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * A note over the pictures, which goes away after `ms` unless somebody is at it; Infinity: it waits to be dismissed.
 * @param {string} words @param {{bad?: boolean, warm?: boolean, before?: Node, after?: Node, ms?: number}} [how]
 */
export function toast(words, { bad = false, warm = false, before, after, ms = bad || warm ? 12_000 : 5000 } = {}) {
  const box = by("toasts");
  for (const old of box.querySelectorAll("p")) if (old.textContent === words) old.closest(".toast").remove();
  const close = h("button.icon-only", { "aria-label": "dismiss" }, "✕");
  const note = h("div", { class: `toast ${bad ? "bad" : warm ? "warm" : ""}`, role: bad ? "alert" : null }, before, h("div", {}, h("p", {}, words), after), close);
  close.addEventListener("click", () => note.remove());
  const wait = () => ms < Infinity && setTimeout(() => (note.matches(":hover, :focus-within") ? wait() : note.remove()), ms);
  box.append(note);
  while (box.children.length > MOST_NOTES) box.firstElementChild.remove();
  wait();
}

export const KEYS = [
  ["1  2  3", "side by side, swipe, overlay"],
  ["wheel, pinch, +  −", "zoom"],
  ["drag, arrow keys", "move the picture (with Shift: farther)"],
  ["F, double click", "the whole frame"],
  ["0", "one screen pixel per pixel of the frame"],
  ["L", "panes move together, or each by itself"],
  ["A", "contrast chosen automatically for all pictures"],
  ["O", "all objects on and off"],
  ["[  ]", "previous and next picture alone; \\ shows all"],
  ["hover, tap", "the values of an object"],
  ["click", "mark an object, and follow it from frame to frame"],
  ["P", "pause and resume, where the run can"],
  ["S", "snapshot: a PNG of the pictures that you see"],
  ["B  N", "settings and numbers on and off"],
  ["T", "dark or light"],
  ["Tab, arrows", "every control; handles of the histogram and the swipe line, too"],
];

export function help() {
  const rows = KEYS.map(([keys, words]) => h("div", {}, h("dt", {}, ...keys.split(/\s{2,}|, /).map((key) => h("kbd", {}, key))), h("dd", {}, words)));
  const words = "Pictures are the newest there are; what cannot be drawn in time is skipped here, never in the run. Arming and stopping ask first and have no keys.";
  open("Keys and gestures", h("div", {}, h("dl.keys", {}, ...rows), h("p.quiet", {}, words)), h("div.row.end", {}, h("button.primary", { autofocus: true }, "Close")));
}
