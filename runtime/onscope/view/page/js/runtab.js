/** The run in detail: networks, trust values, recording, reasons of lost frames, and the log of events. */
import { figures } from "./feedback.js";
import { h, short } from "./dom.js";

const MOST = 200;

export function runTab() {
  const details = h("div.cards");
  const log = h("ol.log", { "aria-label": "events" });
  const quiet = h("p.quiet", {}, "Nothing has happened yet.");
  const box = h("div.joined", {}, details, h("section.card", { "aria-label": "events" }, h("h3", {}, "Events"), quiet, log));
  /** @type {Set<string>} */
  const known = new Set();
  let at = 0;
  /** @param {any} status @param {any} layout */
  const show = (status, layout) => {
    if (box.offsetParent === null || performance.now() - at < 900) return;
    at = performance.now();
    const cards = [providers(status, layout), ledger(status), ...trust(status), recording(status)];
    details.replaceChildren(.../** @type {Node[]} */ (cards.filter(Boolean)));
  };
  /**
   * @param {{kind: string, words: string, bad: boolean, at: number}} told
   * @returns {boolean} whether it is new: after a reconnection the last ones are told again
   */
  const tell = ({ kind, words, bad, at: when }) => {
    const one = `${when} ${kind} ${words}`;
    if (known.has(one)) return false;
    known.add(one);
    if (known.size > MOST) known.delete(known.values().next().value ?? "");
    quiet.hidden = true;
    const time = new Date(when > 1e9 ? when * 1000 : Date.now()).toLocaleTimeString("en-GB");
    log.prepend(h("li", { class: bad ? "bad" : "" }, h("div.row.spread", {}, h("b", {}, kind), h("time", {}, time)), h("p", {}, words)));
    while (log.children.length > MOST) log.lastChild.remove();
    return true;
  };
  return { box, show, tell };
}

function providers(status, layout) {
  const rows = Object.entries(status.providers ?? {}).map(([stage, provider]) => h("div", {}, h("dt", {}, stage, layout.packages?.[stage] ? h("small", {}, ` ${layout.packages[stage]}`) : null), h("dd", {}, String(provider))));
  return rows.length ? h("section.card", { "aria-label": "networks" }, h("h3", {}, "Networks"), h("dl.lines", {}, ...rows)) : null;
}

function ledger(status) {
  return h("section.card", { "aria-label": "frames" }, h("h3", {}, "Frames"), h("dl.figures", {}, ...figures(status.ledger ?? {})),
    Object.keys(status.reasons ?? {}).length > 0 && h("p.quiet", {}, `not done because of: ${Object.entries(status.reasons).map(([why, n]) => `${why} (${short(Number(n))})`).join(", ")}`));
}

function trust(status) {
  return Object.entries(status.trust ?? {}).map(([stage, values]) => {
    const suspect = status.suspect?.[stage] ?? [];
    const rows = Object.entries(values).map(([name, value]) => h("div", { class: suspect.includes(name) ? "bad" : "" }, h("dt", {}, name), h("dd", {}, short(Number(value)))));
    return h("section.card", { "aria-label": `trust of ${stage}` }, h("h3", {}, `Trust in ${stage}`), h("dl.lines", {}, ...rows));
  });
}

function recording(status) {
  const now = status.recording;
  if (!now?.folder) return null;
  return h("section.card", { "aria-label": "recording" }, h("h3", {}, "Recording"), h("dl.lines", {}, h("div", {}, h("dt", {}, now.folder), h("dd", {}, `${short(now.frames)} frames, ${short(now.bytes / 1e6)} MB`))));
}
