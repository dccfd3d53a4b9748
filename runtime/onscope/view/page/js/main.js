/** The page, put together. */
import { Actions } from "./actions.js";
import { Connection, whereTo } from "./connection.js";
import { help, toast } from "./dialogs.js";
import { by, h, icon, short } from "./dom.js";
import { feedback } from "./feedback.js";
import { pictures } from "./pictures.js";
import { runTab } from "./runtab.js";
import { shortcuts } from "./shortcuts.js";
import { side } from "./side.js";
import { player } from "./player.js";
import { Stage } from "./stage.js";
import { Store } from "./store.js";
import { strip } from "./strip.js";
import { toggleTheme } from "./theme.js";
import { toolbar } from "./toolbar.js";
import { tuning } from "./tune.js";
import { linkState } from "./linkstate.js";

const PASSING = new Set(["warning", "shadow mode", "refused"]); // of bad news: the run goes on as it was

const { url, token } = whereTo();
const store = new Store();
const link = new Connection(url, token);
const stage = new Stage(by("stage"), store, link);
const actions = new Actions(link, stage);
const tools = toolbar(store, stage);
const looks = pictures(store, stage);
const tune = tuning(actions);
const rules = feedback();
const run = runTab();
const numbers = strip();
const recorded = player(actions);
let hasFeedback = false;
const tabs = side(store, [
  { name: "picture", words: "Pictures", box: looks.box, when: () => true },
  { name: "tune", words: "Tune", box: tune.box, when: () => tune.box.childElementCount > 0 },
  { name: "feedback", words: "Feedback", box: rules.box, when: () => hasFeedback },
  { name: "run", words: "Run", box: run.box, when: () => true },
]);
const state = linkState(link, actions);

const pageButton = (/** @type {any} */ name, /** @type {string} */ title, /** @type {() => void} */ then) => h("button.icon-only", { title, "aria-label": title.replace(/ \(.*/, ""), onclick: then }, icon(name));
const recolour = () => {
  toggleTheme();
  numbers.latency.rebuild();
};
by("page").replaceChildren(
  pageButton("sun", "Dark or light (T)", recolour),
  pageButton("panel", "Settings on and off (B)", () => store.set({ panel: !store.now.panel })),
  pageButton("help", "Keys and gestures (?)", help),
);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => numbers.latency.rebuild());

const setLayout = (/** @type {any} */ layout) => {
  stage.setLayout(layout);
  actions.setLayout(layout.actions);
  tools.build();
  looks.rebuild();
  recorded.setLayout(layout);
  tune.build(layout);
  tabs.show();
  const [rows, columns] = layout.shape;
  by("run").textContent = layout.run;
  by("run").title = `${columns} x ${rows} pixels, ${layout.dtype}${layout.pixel_size_um ? `, ${layout.pixel_size_um} µm per pixel` : ""}`;
  document.title = `${layout.run || "run"} · onscope`;
};
for (const kind of ["hello", "layout"]) {
  link.addEventListener(kind, (/** @type {any} */ { detail }) => {
    if (kind === "hello") state.begin(detail.layout);
    setLayout(detail.layout);
  });
}
link.addEventListener("status", (/** @type {any} */ { detail: status }) => {
  if (Boolean(status.feedback) !== hasFeedback) {
    hasFeedback = Boolean(status.feedback);
    tabs.show();
  }
  actions.show(status);
  recorded.show(status.play);
  numbers.show(status, stage.layout.live !== false);
  rules.show(status.feedback);
  run.show(status, stage.layout);
  state.paused(actions.paused);
});
link.addEventListener("told", (/** @type {any} */ { detail }) => {
  if (!run.tell(detail) || !detail.bad) return;
  if (detail.past) tabs.mark("run");
  else if (PASSING.has(detail.kind)) toast(detail.words, { warm: true });
  else toast(detail.words, { bad: true, ms: Infinity });
});
link.addEventListener("ended", (/** @type {any} */ { detail }) => state.ended(detail.words));
stage.addEventListener("frame", (/** @type {any} */ { detail }) => {
  const { frame, age_ms: age, latency_ms: latency } = detail;
  const labels = frame.labels ?? {};
  const places = Object.entries(frame.index ?? {}).filter(([axis, at]) => !(axis in labels) && !(axis === "t" && at === frame.seq));
  const place = [...Object.entries(labels), ...places].map(([axis, at]) => (typeof at === "string" ? at : `${axis} ${at}`));
  const when = stage.layout.live === false
    ? h("span", { title: "when the core received it; in brackets how long its result took" }, `${moment(frame.received_unix_ns)}${latency != null ? ` (${short(latency)} ms)` : ""}`)
    : h("span", { title: "from the core's receipt to the sending of this picture; in brackets to the result" }, `${short(age)} ms old${latency != null ? ` (${short(latency)})` : ""}`);
  by("frame").replaceChildren(h("b", {}, `#${frame.seq}`), h("i", {}, place.join("  ")), when);
});
const moment = (/** @type {number} */ ns) => (ns ? new Date(ns / 1e6).toLocaleString("sv").concat(".", String(Math.floor(ns / 1e6) % 1000).padStart(3, "0")) : "");
shortcuts({ store, stage, actions, recolour, help });
tools.build();
looks.rebuild();
tabs.show();
link.open();
