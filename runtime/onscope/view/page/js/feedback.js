/** What the rules asked for, what the gate said, and the light that the sample was given. */
import { h, short } from "./dom.js";

export function feedback() {
  const state = h("p.state");
  const counts = h("dl.figures");
  const dose = h("div");
  const list = h("ol.verdicts", { "aria-label": "last proposals" });
  const box = h("div.cards", {}, h("section.card", { "aria-label": "feedback" }, state, counts, dose), h("section.card", { "aria-label": "last proposals" }, h("h3", {}, "Last proposals"), list));
  let drawn = "";
  /** @param {any} now of a status */
  const show = (now) => {
    const text = JSON.stringify(now);
    if (!now || text === drawn) return;
    drawn = text;
    state.textContent = now.held || (now.armed ? "Armed: what passes the gate is carried out." : "Shadow: rules only say what they would do.");
    state.className = now.held ? "state bad" : now.armed ? "state armed" : "state";
    counts.replaceChildren(...figures(now.counts ?? {}));
    dose.replaceChildren(...(now.dose_j_cm2 == null ? [] : [meter("Light dose", now.dose_j_cm2, now.dose_most, "J/cm²")]));
    const last = [...(now.last ?? [])].reverse().slice(0, 30);
    list.replaceChildren(...(last.length ? last.map(verdict) : [h("li.quiet", {}, "Nothing was asked for yet.")]));
  };
  return { box, show };
}

function verdict(one) {
  return h("li", { class: one.passed ? "passed" : "not" },
    h("div.row.spread", {}, h("b", {}, h("i.mark", { "aria-hidden": "true" }, one.passed ? "✓" : "✕"), ` ${one.kind}`), h("small", {}, `${one.rule}, no. ${one.number}`)),
    h("p", {}, one.words || (one.passed ? "passed" : "did not pass")));
}

/** @param {Record<string, number>} counts */
export function figures(counts) {
  return Object.entries(counts).map(([name, value]) => h("div", {}, h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, short(value))));
}

/** A bar that fills towards a limit. @param {string} words @param {number} value @param {number | null} most */
export function meter(words, value, most, unit = "") {
  const share = most ? Math.min(value / most, 1) : 0;
  const kind = share > 0.9 ? "bad" : share > 0.7 ? "warm" : "good";
  const bar = h("i");
  bar.style.width = `${share * 100}%`;
  const said = `${short(value)}${most ? ` of ${short(most)}` : ""} ${unit}`.trim();
  return h("div.meter", { class: `meter ${kind}`, role: "meter", "aria-label": words, "aria-valuemin": 0, "aria-valuemax": most ?? value, "aria-valuenow": Math.min(value, most ?? value), "aria-valuetext": said },
    h("div.row.spread", {}, h("span", {}, words), h("b", {}, said)), most ? h("div.track", {}, bar) : null);
}
