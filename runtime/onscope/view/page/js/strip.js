/** The strip of numbers: rates, latency by step, frames, trust and light. */
import { by, h, short } from "./dom.js";
import { meter } from "./feedback.js";
import { Latency } from "./latency.js";

const STATES = { done: "good", skipped: "warm", late: "warm", stale: "warm", failed: "bad", lost: "bad", lost_upstream: "bad" };
const GATE = { refused: "warm", failed: "bad" };

export function strip() {
  const rate = (/** @type {string} */ words) => {
    const value = h("b", {}, "–");
    return { value, box: h("div.rate", {}, value, h("span", {}, words)) };
  };
  const [frames, results, shown] = ["frames/s", "results/s", "shown/s"].map(rate);
  const latency = new Latency();
  const queue = h("div.pips", { role: "img", "aria-label": "queue" });
  const account = h("div.account");
  const trust = h("div.meters");
  const light = h("div.meters");
  const gate = h("span.pill");
  const part = (/** @type {string} */ name, /** @type {string} */ words, /** @type {Node[]} */ ...nodes) => h(`section.part.${name}`, { "aria-label": words }, h("h3", {}, words), ...nodes);
  const parts = {
    rates: part("rates", "Rates", frames.box, results.box, shown.box),
    latency: part("latency", "Latency, ms from the core's receipt", latency.box),
    account: part("ledger", "Frames", queue, account),
    trust: part("trust", "Trust", trust),
    light: part("light", "Feedback", light),
  };
  parts.light.querySelector("h3")?.append(gate);
  parts.trust.hidden = parts.light.hidden = true;
  by("strip").replaceChildren(...Object.values(parts));

  /** @param {any} status @param {boolean} live a recording has no rates of its own, and no queue */
  const show = (status, live) => {
    parts.rates.hidden = queue.hidden = !live;
    frames.value.textContent = perSecond(status.frames_per_s);
    results.value.textContent = perSecond(status.results_per_s);
    shown.value.textContent = perSecond(status.shown_per_s);
    latency.add(status.at, status.steps_ms ?? {});
    pips(queue, status.queue);
    ledger(account, status.ledger ?? {});
    const stages = Object.entries(status.trust ?? {});
    parts.trust.hidden = !stages.length;
    trust.replaceChildren(...stages.map(([stage, values]) => believed(stage, /** @type {any} */ (values), status.suspect?.[stage] ?? [])));
    parts.light.hidden = !status.feedback;
    if (status.feedback) light.replaceChildren(...judged(status.feedback, gate));
  };
  return { show, latency };
}

/** With one digit behind the point, so that it keeps its place while it changes. */
const perSecond = (/** @type {number | null} */ value) => (value == null ? "–" : value >= 100 ? short(value) : value.toFixed(1));

function pips(box, queue) {
  if (!queue) return;
  const depth = queue.depth ?? 0; // null: not known, or without bound
  const waiting = depth ? Math.min(queue.waiting, depth) : queue.waiting; // what is being worked on waits no more
  const worked = queue.in_work ? `, ${queue.in_work} in work` : "";
  const words = (depth ? `${waiting} of ${depth} places of the queue taken` : `${waiting} frames wait`) + worked;
  box.setAttribute("aria-label", words);
  box.title = words;
  box.replaceChildren(h("span", {}, "queue"), ...(depth > 12 ? [] : Array.from({ length: depth }, (_, i) => h("i", { class: i < waiting ? "on" : "" }))), h("b", {}, depth ? `${waiting} / ${depth}` : short(waiting)));
}

function ledger(box, states) {
  const counts = Object.fromEntries(Object.entries(states).filter(([state, n]) => n > 0 || state === "done"));
  const all = Object.values(counts).reduce((sum, n) => sum + n, 0);
  const bar = h("div.stacked", { "aria-hidden": "true" }, ...Object.entries(counts).map(([state, n]) => {
    const piece = h("i", { class: STATES[state] ?? "other" });
    piece.style.flexGrow = String(n / Math.max(all, 1));
    return piece;
  }));
  box.replaceChildren(bar, h("dl.inline", {}, ...Object.entries(counts).map(([state, n]) => h("div", { class: STATES[state] ?? "other" }, h("dt", {}, state.replaceAll("_", " ")), h("dd", {}, short(n))))));
}

function believed(stage, values, suspect) {
  const box = meter(stage, values.suspicion ?? 0, 1);
  const words = suspect.length ? `not as usual: ${suspect.join(", ")}` : "as usual";
  box.querySelector("b").textContent = suspect.length ? suspect.join(", ") : short(values.suspicion);
  box.setAttribute("aria-valuetext", `suspicion ${short(values.suspicion)} of 1, ${words}`);
  box.title = `Suspicion ${short(values.suspicion)} (1 is the limit): ${words}`;
  box.classList.toggle("bad", suspect.length > 0);
  return box;
}

function judged(feedback, gate) {
  const last = feedback.last?.at(-1);
  const state = feedback.held ? "held" : feedback.paused ? "paused" : feedback.armed ? "armed" : "shadow";
  gate.className = `pill ${state}`;
  gate.textContent = state;
  gate.title = feedback.held || "";
  const counts = Object.entries(feedback.counts ?? {}).filter(([, n]) => n > 0);
  const said = h("dl.inline", {}, ...counts.map(([name, n]) => h("div", { class: GATE[name] ?? "" }, h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, short(n)))));
  const dose = feedback.dose_j_cm2 == null ? null : meter("Light", feedback.dose_j_cm2, feedback.dose_most, "J/cm²");
  const words = last && h("p.last", { class: last.passed ? "last passed" : "last not", title: last.words }, h("i.mark", { "aria-hidden": "true" }, last.passed ? "✓" : "✕"), ` ${last.kind}: ${last.words || "passed"}`);
  return [counts.length ? said : h("p.quiet", {}, "Nothing was asked for yet."), dose, words].filter(Boolean);
}
