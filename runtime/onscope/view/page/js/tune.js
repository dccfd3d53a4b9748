/** Numbers that may be changed while the run goes on, and networks that may be swapped. */
import { confirmed } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { setting } from "./setting.js";

/** @param {import("./actions.js").Actions} actions */
export function tuning(actions) {
  const box = h("div.cards");
  /** @type {Map<string, {show: (now: any) => void}>} */
  let shown = new Map();
  let made = "";
  let waiting = /** @type {any} */ (null);
  /** @param {any} layout new values are shown where they are; what is in use is not made anew under the user's hands */
  const build = (layout) => {
    const { settings, stages } = offered(layout);
    const wanted = JSON.stringify([settings.map((/** @type {any} */ { value, ...rest }) => rest), stages.map((stage) => [stage, layout.swaps[stage]])]);
    if (wanted !== made && box.contains(document.activeElement)) {
      waiting = layout;
      return;
    }
    if (wanted !== made) {
      made = wanted;
      shown = new Map();
      box.replaceChildren(...cards(settings, stages, layout, actions, shown));
    }
    for (const each of settings) shown.get(key(each))?.show(each.value);
    for (const stage of stages) shown.get(`swap ${stage}`)?.show(layout.packages[stage]);
  };
  box.addEventListener("focusout", () => setTimeout(() => {
    if (!waiting || box.contains(document.activeElement)) return;
    build(waiting);
    waiting = null;
  }));
  return { box, build };
}

const key = (/** @type {any} */ { of, name }) => `${of} ${name}`;

function offered(layout) {
  const settings = layout.actions.includes("tune") ? layout.settings : [];
  const stages = layout.actions.includes("swap") ? Object.keys(layout.packages).filter((stage) => layout.swaps?.[stage]?.length) : [];
  return { settings, stages };
}

function cards(settings, stages, layout, actions, shown) {
  const groups = Map.groupBy(settings, (/** @type {any} */ each) => each.of);
  const made = [...groups].map(([of, some]) => h("section.card", { "aria-label": `numbers of ${of}` }, h("h3", {}, of), ...some.map((/** @type {any} */ each) => {
    const one = setting(each, actions);
    shown.set(key(each), one);
    return one.box;
  })));
  if (!stages.length) return made;
  return [...made, h("section.card", { "aria-label": "networks" }, h("h3", {}, "Networks"), ...stages.map((/** @type {string} */ stage) => {
    const one = swap(stage, layout, actions);
    shown.set(`swap ${stage}`, one);
    return one.box;
  }))];
}

function swap(stage, layout, actions) {
  let now = layout.packages[stage];
  const select = h("select", { "aria-label": `network of ${stage}` }, ...[...new Set([now, ...layout.swaps[stage]])].map((name) => h("option", { value: name }, name)));
  const button = h("button.small", { disabled: true }, icon("swap"), "Swap");
  const said = h("p.quiet", { role: "status" });
  select.addEventListener("change", () => (button.disabled = select.value === now));
  button.addEventListener("click", async () => {
    const chosen = select.value;
    const words = `${chosen} is prepared beside the run and then used for ${stage}. If it cannot be used, ${now} stays.`;
    if (!(await confirmed({ title: "Swap the network?", words, yes: "Swap" }))) return;
    const done = await actions.run("swap", { stage, package: chosen });
    said.textContent = done?.ok ? `${chosen} is being prepared` : "";
  });
  const show = (/** @type {string} */ name) => {
    if (name !== now) said.textContent = "";
    if (select.value === now || select.value === name) select.value = name;
    now = name;
    button.disabled = select.value === now;
  };
  select.value = now;
  return { show, box: h("div", {}, h("div.field", {}, h("span", {}, stage), h("div.row.grow", {}, select, button)), said) };
}
