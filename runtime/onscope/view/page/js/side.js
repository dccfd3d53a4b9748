/** The settings beside the pictures, as tabs. */
import { by, h } from "./dom.js";

/**
 * @param {import("./store.js").Store} store
 * @param {{name: string, words: string, box: HTMLElement, when: () => boolean}[]} tabs
 */
export function side(store, tabs) {
  const buttons = tabs.map((tab) => h("button", { role: "tab", id: `tab-${tab.name}`, "aria-controls": `panel-${tab.name}`, onclick: () => store.set({ tab: tab.name }) }, tab.words));
  const panels = tabs.map((tab) => h("div.panel", { role: "tabpanel", id: `panel-${tab.name}`, "aria-labelledby": `tab-${tab.name}`, tabindex: 0 }, tab.box));
  const marks = tabs.map(() => h("span.badge", { hidden: true, role: "img", "aria-label": "warnings to read" }));
  buttons.forEach((button, i) => button.append(marks[i]));
  const list = h("div.tabs", { role: "tablist", "aria-label": "settings" }, ...buttons);
  by("side").replaceChildren(list, ...panels);
  list.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const open = buttons.filter((button) => !button.hidden);
    const next = open[(open.indexOf(document.activeElement) + step + open.length) % open.length];
    next.focus();
    next.click();
  });
  /** Have a tab say that there is something to read, until it is opened. @param {string} name */
  const mark = (name) => {
    const i = tabs.findIndex((tab) => tab.name === name);
    marks[i].hidden = !panels[i].hidden && store.now.panel;
  };
  const show = () => {
    const possible = tabs.filter((tab) => tab.when()).map((tab) => tab.name);
    const now = possible.includes(store.now.tab) ? store.now.tab : possible[0];
    tabs.forEach((tab, i) => {
      buttons[i].hidden = !possible.includes(tab.name);
      buttons[i].setAttribute("aria-selected", String(tab.name === now));
      buttons[i].tabIndex = tab.name === now ? 0 : -1;
      panels[i].hidden = tab.name !== now;
      if (tab.name === now && store.now.panel) marks[i].hidden = true;
    });
    document.body.classList.toggle("no-side", !store.now.panel);
    document.body.classList.toggle("no-strip", !store.now.strip);
  };
  store.watch(["tab", "panel", "strip"], show);
  return { show, mark };
}
