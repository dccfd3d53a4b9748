/** Whether what is on the screen is live: said beside the run's name, and in a banner when it is not. */
import { by, h } from "./dom.js";

const SILENT_MS = 6000; // a server tells its status four times a second

/** @param {import("./connection.js").Connection} link @param {import("./actions.js").Actions} actions */
export function linkState(link, actions) {
  let over = "";
  let paused = false;
  let recorded = false;
  let shown = "";
  const said = h("span");
  const again = h("button.small", { hidden: true, onclick: () => link.retry() }, "Try now");
  by("banner").replaceChildren(said, again);
  const say = (/** @type {string} */ kind, /** @type {string} */ words, /** @type {string} */ banner = "", /** @type {boolean} */ retry = false) => {
    const text = [kind, words, banner].join("|");
    document.body.classList.toggle("stale", kind === "bad" || kind === "warm"); // nobody knows how old the pictures are
    if (text === shown) return;
    shown = text;
    by("link").className = `pill ${kind}`;
    by("link").textContent = words;
    const box = by("banner");
    box.hidden = !banner;
    box.className = kind;
    said.textContent = banner; // the button stays the same while seconds are counted: it may have the focus
    again.hidden = !retry;
  };
  const tell = () => {
    const { phase, words, retryAt } = link.link;
    const left = Math.max(Math.ceil((retryAt - performance.now()) / 1000), 0);
    actions.enable(phase === "live" && !over);
    if (over) say("still", "ended", over);
    else if (phase === "refused") say("bad", "refused", `The server refused this page: ${words || "no reason was given"}. Open the address that the run has printed.`, true);
    else if (phase === "lost") say("bad", "not connected", `The connection is lost, the pictures are old. Trying again${left > 1 ? ` in ${left} s` : ""}.`, true);
    else if (phase === "connecting") say("warm", "connecting");
    else if (performance.now() - link.heard > SILENT_MS) say("warm", "silent", "Nothing was heard for some seconds: the pictures may be old.");
    else if (recorded) say("still", "recording");
    else say(paused ? "paused" : "live", paused ? "paused" : "live");
  };
  link.addEventListener("state", tell);
  link.addEventListener("layout", (/** @type {any} */ { detail }) => (recorded = detail.layout.live === false));
  setInterval(tell, 500);
  return {
    /** @param {any} layout of a connection that has just begun */
    begin: (layout) => {
      over = "";
      recorded = layout.live === false;
      tell();
    },
    ended: (/** @type {string} */ words) => {
      over = words || "The run is over. The last pictures stay.";
      tell();
    },
    paused: (/** @type {boolean} */ now) => {
      paused = now;
    },
  };
}
