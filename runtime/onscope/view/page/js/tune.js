/** Numbers that may be changed while the run goes on, and networks that may be swapped. */
import { confirmed } from "./dialogs.js";
import { h, icon, short } from "./dom.js";

const SEND_MS = 250;

/** @param {import("./actions.js").Actions} actions */
export function tuning(actions) {
  const box = h("div.cards");
  /** @param {any} layout */
  const build = (layout) => {
    if (box.contains(document.activeElement)) return;
    const groups = new Map();
    for (const setting of layout.actions.includes("tune") ? layout.settings : []) groups.set(setting.of, [...(groups.get(setting.of) ?? []), setting]);
    const cards = [...groups].map(([of, settings]) => h("section.card", { "aria-label": `numbers of ${of}` }, h("h3", {}, of), ...settings.map((/** @type {any} */ each) => slider(each, actions))));
    const offered = layout.swaps ?? {};
    const stages = layout.actions.includes("swap") ? Object.keys(layout.packages).filter((stage) => offered[stage]?.length) : [];
    if (stages.length) cards.push(h("section.card", { "aria-label": "networks" }, h("h3", {}, "Networks"), ...stages.map((stage) => swap(stage, layout.packages[stage], offered[stage], actions))));
    box.replaceChildren(...cards);
  };
  return { box, build };
}

function slider(setting, actions) {
  const whole = [setting.value, setting.least, setting.most].every(Number.isInteger);
  const step = whole ? 1 : (setting.most - setting.least) / 200;
  const input = h("input", { type: "range", min: setting.least, max: setting.most, step, "aria-label": `${setting.of} ${setting.name}` });
  const exact = h("input.number", { type: "number", min: setting.least, max: setting.most, step: "any", "aria-label": `${setting.of} ${setting.name}, exactly` });
  const said = h("small.said", { role: "status" });
  input.value = String(setting.value);
  exact.value = String(setting.value);
  let timer = 0;
  const send = (/** @type {number} */ value) => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      said.textContent = "…";
      const done = await actions.run("tune", { of: setting.of, name: setting.name, value });
      said.textContent = done?.ok ? done.words || "set" : "refused";
    }, SEND_MS);
  };
  input.addEventListener("input", () => {
    exact.value = String(Number(Number(input.value).toPrecision(4)));
    send(Number(input.value));
  });
  exact.addEventListener("change", () => {
    input.value = exact.value;
    send(Number(exact.value));
  });
  return h("div.setting", {}, h("div.row.spread", {}, h("span", {}, setting.name), exact), input, h("div.row.spread.ends", {}, h("small", {}, short(setting.least)), said, h("small", {}, short(setting.most))), setting.meaning && h("p.quiet", {}, setting.meaning));
}

function swap(stage, now, offered, actions) {
  const names = [...new Set([now, ...offered])];
  const select = h("select", { "aria-label": `network of ${stage}` }, ...names.map((name) => h("option", { value: name }, name)));
  select.value = now;
  const button = h("button.small", { disabled: true }, icon("swap"), "Swap");
  select.addEventListener("change", () => (button.disabled = select.value === now));
  button.addEventListener("click", async () => {
    const words = `${select.value} is prepared beside the run and then used for ${stage}. If it cannot be used, ${now} stays.`;
    if (!(await confirmed({ title: "Swap the network?", words, yes: "Swap" }))) return;
    button.disabled = true;
    await actions.run("swap", { stage, package: select.value });
  });
  return h("div.field", {}, h("span", {}, stage), h("div.row.grow", {}, select, button));
}
