/**
 * The connection to the server: says hello, asks for what is to be seen, and comes back by itself when it was lost.
 *
 * Events (CustomEvent with `detail`): state, hello, layout, status, told, update, ended.
 * @typedef {"connecting" | "live" | "lost" | "refused"} Phase
 * @typedef {{phase: Phase, words: string, retryAt: number}} Link
 */
import { unpack } from "./wire.js";

const FIRST_MS = 500;
const MOST_MS = 10_000;
const AHEAD = 2; // updates that may be under way: one is drawn while the next one travels

export class Connection extends EventTarget {
  /** @param {string} url of the WebSocket @param {string} token */
  constructor(url, token) {
    super();
    this.url = url;
    this.token = token;
    /** @type {Link} */
    this.link = { phase: "connecting", words: "", retryAt: 0 };
    this.heard = performance.now();
    this.views = null;
    this.wait = FIRST_MS;
    this.number = 0;
    /** @type {Map<number, (done: any) => void>} */
    this.asked = new Map();
    window.addEventListener("online", () => this.retry());
  }

  open() {
    clearTimeout(this.timer);
    this.refusal = "";
    const socket = (this.socket = new WebSocket(this.url));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.send({ type: "hello", version: 1, token: this.token });
    socket.onmessage = ({ data }) => socket === this.socket && this.hear(data);
    socket.onclose = (event) => socket === this.socket && this.lose(event);
  }

  /** Try now, instead of later. */
  retry() {
    if (this.link.phase === "lost" || this.link.phase === "refused") this.open();
  }

  /** @param {any} message */
  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** Ask for pictures; they are asked for again after a reconnection. @param {any[]} views */
  show(views) {
    this.views = views;
    if (this.link.phase === "live") this.send({ type: "show", views });
  }

  /** An update has been drawn, and the next one may come. */
  drawn() {
    this.send({ type: "credit", n: 1 });
  }

  /** Ask for an action. @param {string} action @param {any} fields @returns {Promise<any>} `done`; never rejected */
  do(action, fields = {}) {
    const id = ++this.number;
    if (this.link.phase !== "live") return Promise.resolve({ ok: false, words: "found no connection: ask again when it is back" });
    this.send({ ...fields, type: "do", id, action });
    return new Promise((resolve) => this.asked.set(id, resolve));
  }

  /** @param {string | ArrayBuffer} data */
  hear(data) {
    this.heard = performance.now();
    if (data instanceof ArrayBuffer) {
      let update;
      try {
        update = unpack(data);
      } catch (error) {
        console.error(error);
        return this.drawn();
      }
      return this.tell("update", update);
    }
    const message = JSON.parse(data);
    if (message.type === "hello") {
      this.wait = FIRST_MS;
      this.change("live", "");
      this.tell("hello", message);
      if (this.views) this.send({ type: "show", views: this.views });
      this.send({ type: "credit", n: AHEAD });
    } else if (message.type === "refused") {
      this.refusal = message.words;
    } else if (message.type === "done") {
      this.asked.get(message.id)?.(message);
      this.asked.delete(message.id);
    } else {
      this.tell(message.type, message);
    }
  }

  /** @param {CloseEvent} event */
  lose(event) {
    for (const answer of this.asked.values()) answer({ ok: false, words: "the connection was lost before an answer came" });
    this.asked.clear();
    const words = this.refusal || event.reason;
    const refused = event.code === 1008 || Boolean(this.refusal);
    const wait = refused ? MOST_MS : this.wait * (0.8 + 0.4 * Math.random());
    this.wait = Math.min(this.wait * 2, MOST_MS);
    this.change(refused ? "refused" : "lost", words, performance.now() + wait);
    this.timer = setTimeout(() => this.open(), wait);
  }

  /** @param {Phase} phase */
  change(phase, words, retryAt = 0) {
    this.link = { phase, words, retryAt };
    this.tell("state", this.link);
  }

  tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}

/** The server's address and the token, which is taken out of the address bar and kept for reloads of this tab. */
export function whereTo() {
  const url = new URL("live", document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given !== null) {
    sessionStorage.setItem("onscope.token", given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return { url: url.href, token: given ?? sessionStorage.getItem("onscope.token") ?? "" };
}
