/** The buttons of the run: only those that this run has. */
import { confirmed, toast } from "./dialogs.js";
import { by, h, icon } from "./dom.js";

const QUIET = new Set(["seek", "play", "tune"]); // their answer is seen where they were asked for

export class Actions {
  /** @param {import("./connection.js").Connection} link @param {import("./stage.js").Stage} stage */
  constructor(link, stage) {
    Object.assign(this, { link, stage, has: [] });
    this.armed = false;
    this.paused = false;
    const button = (/** @type {any} */ name, /** @type {string} */ words, /** @type {() => void} */ then) => h("button", { onclick: then, "aria-label": words, title: words }, icon(name), h("span", {}, words));
    this.pause = button("pause", "Pause", () => this.run(this.paused ? "resume" : "pause"));
    this.snap = button("camera", "Snapshot", () => this.snapshot());
    this.arm = button("shield", "Arm", () => this.toggleArmed());
    this.stop = button("stop", "Stop", () => this.ending());
    stage.addEventListener("snapshot", (/** @type {any} */ { detail }) => this.keep(detail));
  }

  /** @param {string[]} has the run's actions */
  setLayout(has) {
    this.has = has;
    const offered = [has.includes("pause") && this.pause, has.includes("snapshot") && this.snap, has.includes("arm") && this.arm, has.includes("stop") && this.stop];
    by("actions").replaceChildren(...offered.filter(Boolean));
  }

  /** @param {any} status */
  show(status) {
    this.armed = Boolean(status.feedback?.armed);
    this.paused = Boolean(status.paused || status.feedback?.paused);
    dress(this.pause, this.paused ? "play" : "pause", this.paused ? "Resume" : "Pause");
    this.pause.classList.toggle("primary", this.paused);
    dress(this.arm, "shield", this.armed ? "Armed" : "Arm");
    this.arm.classList.toggle("armed", this.armed);
    this.arm.setAttribute("aria-pressed", String(this.armed));
    this.arm.title = this.armed ? "Actions are carried out: back to shadow" : "Shadow: rules only say what they would do. Arm the feedback";
  }

  /** @param {boolean} on whether actions make sense now */
  enable(on) {
    for (const button of [this.pause, this.snap, this.arm, this.stop]) button.disabled = !on;
  }

  /** @param {string} action */
  async run(action, fields = {}) {
    if (!this.has.includes(action)) return null;
    const done = await this.link.do(action, fields);
    if (!done.ok) toast(done.words || `${action} was refused`, { bad: true });
    else if (action === "snapshot") this.done = done;
    else if (done.words && !QUIET.has(action)) toast(done.words);
    return done;
  }

  async toggleArmed() {
    if (this.armed) return this.run("shadow");
    const words = "What passes the gate is then carried out on the microscope: the stage may move, and light may be given. Make sure that nobody's hands are in its way.";
    if (await confirmed({ title: "Arm the feedback?", words, yes: "Arm", danger: true })) await this.run("arm");
  }

  async ending() {
    const words = "The frames under way are finished, recorded and accounted for; then the run is over and cannot be taken up again.";
    if (await confirmed({ title: "Stop the run?", words, yes: "Stop the run", danger: true })) await this.run("stop");
  }

  snapshot() {
    const views = this.stage.wanted();
    const of = (/** @type {"map" | "gamma"} */ what) => Object.fromEntries(views.map((/** @type {any} */ view) => [view.id, this.stage.store.display(view.image)[what]]));
    this.saw = this.stage.frame;
    return this.run("snapshot", { views, colours: of("map"), gamma: of("gamma"), frame: frameId(this.saw) });
  }

  /** The frame of the snapshot that came, and whether another one was on the screen when it was asked for. */
  ofWhat(name) {
    const { frame, words } = this.done ?? {};
    const same = frame?.seq === this.saw?.seq && frame?.segment === this.saw?.segment;
    const of = !frame ? "" : same || !this.saw ? ` of frame ${frame.seq}` : ` of frame ${frame.seq}, the next after frame ${this.saw.seq} that was on the screen`;
    return `Snapshot${of}${words && words !== name ? `: ${words}` : ""}`;
  }

  async keep({ name, bytes }) {
    const blob = new Blob([bytes], { type: "image/png" });
    const url = URL.createObjectURL(blob);
    const small = h("canvas.thumb", { width: 64, height: 48, "aria-hidden": "true" });
    const after = h("div", {}, h("p.quiet", {}, name), h("a.button", { href: url, download: name }, "Download"));
    toast(this.ofWhat(name), { before: small, after, ms: 20_000 });
    setTimeout(() => URL.revokeObjectURL(url), 600_000);
    const image = await createImageBitmap(blob).catch(() => null);
    if (image) {
      const scale = Math.min(64 / image.width, 48 / image.height);
      Object.assign(small, { width: image.width * scale, height: image.height * scale });
      small.getContext("2d").drawImage(image, 0, 0, small.width, small.height);
    }
  }
}

function frameId(frame) {
  return frame && Object.fromEntries(["run", "camera", "segment", "seq"].map((name) => [name, frame[name]]));
}

function dress(button, name, words) {
  if (button.lastChild.textContent === words) return;
  button.replaceChildren(icon(name), h("span", {}, words));
  button.setAttribute("aria-label", words);
  button.title = words;
}
