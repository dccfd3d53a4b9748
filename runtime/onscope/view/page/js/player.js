/** Of a recording: which of its frames is shown, and how fast they follow each other. */
import { by, h, icon } from "./dom.js";

const SPEEDS = [["recorded", "as recorded"], ["1", "1 frame/s"], ["5", "5 frames/s"], ["10", "10 frames/s"], ["30", "30 frames/s"]];
const SEND_MS = 60;

/** @param {import("./actions.js").Actions} actions */
export function player(actions) {
  const speed = h("select", { "aria-label": "speed", onchange: () => playing && play(true) }, ...SPEEDS.map(([value, words]) => h("option", { value }, words)));
  const at = h("input", { type: "range", min: 0, step: 1, value: 0, "aria-label": "frame of the recording" });
  const said = h("output", {});
  const button = h("button.icon-only", { onclick: () => play(!playing) });
  let playing = false;
  let held = 0; // until when the slider is the user's, and not the status'
  let timer = 0;
  const play = (/** @type {boolean} */ on) => actions.run("play", !on ? { fps: 0 } : speed.value === "recorded" ? {} : { fps: Number(speed.value) });
  const dress = () => {
    button.replaceChildren(icon(playing ? "pause" : "play"));
    button.setAttribute("aria-label", playing ? "stay at this frame" : "play the recording");
  };
  at.addEventListener("input", () => {
    held = performance.now() + 1000;
    said.textContent = `${Number(at.value) + 1} of ${Number(at.max) + 1}`;
    clearTimeout(timer);
    timer = setTimeout(() => actions.run("seek", { frame: Number(at.value) }), SEND_MS);
  });
  dress();
  by("player").replaceChildren(button, at, said, speed);
  return {
    /** @param {any} layout */
    setLayout: (layout) => {
      by("player").hidden = !(layout.actions.includes("seek") && layout.frames > 1);
      at.max = String((layout.frames || 1) - 1);
      button.hidden = speed.hidden = !layout.actions.includes("play");
    },
    /** @param {{frame: number, frames: number, fps: number} | undefined} now */
    show: (now) => {
      if (!now) return;
      if (playing !== (now.fps !== 0)) {
        playing = now.fps !== 0;
        dress();
      }
      if (performance.now() < held) return;
      at.value = String(now.frame);
      said.textContent = `${now.frame + 1} of ${now.frames}`;
    },
  };
}
