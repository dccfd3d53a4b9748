/** Latency by step over the last two minutes. */
import uPlot from "../vendor/uPlot.esm.js";
import { h, short, theme } from "./dom.js";

const WHOLE = "whole way";
const SPAN_S = 120;
const LEAST_S = 5;
const STEPS_S = [1, 2, 5, 10, 20, 30];
const HIGH = 84;
const COLOURS = 6;

export class Latency {
  constructor() {
    this.plot = null;
    /** @type {string[]} */
    this.steps = [];
    this.times = [];
    /** @type {Map<string, (number | null)[]>} */
    this.series = new Map();
    this.chart = h("div.chart", { role: "img", "aria-label": "latency by step over the last two minutes; the values of now stand beside it" });
    this.legend = h("dl.legend");
    this.box = h("div.latency-box", {}, this.chart, this.legend);
    new ResizeObserver(() => this.size()).observe(this.chart);
  }

  /** @param {number} at seconds @param {Record<string, {p50: number, p95: number}>} steps */
  add(at, steps) {
    const now = performance.now() / 1000;
    this.times.push(now);
    const names = Object.keys(steps).sort((a, b) => Number(b === WHOLE) - Number(a === WHOLE)); // the sum first
    for (const name of names) if (!this.series.has(name)) this.series.set(name, Array(this.times.length - 1).fill(null));
    for (const [name, values] of this.series) values.push(steps[name]?.p50 ?? null);
    while (this.times[0] < now - SPAN_S) {
      this.times.shift();
      for (const values of this.series.values()) values.shift();
    }
    if (names.join() !== this.steps.join()) this.rebuild(names);
    this.legend.querySelectorAll("dd").forEach((/** @type {any} */ value, /** @type {number} */ i) => {
      const { p50, p95 } = steps[this.steps[i]] ?? {};
      value.textContent = `${short(p50)} ms`;
      value.title = `half of the frames within ${short(p50)} ms, 95 of 100 within ${short(p95)} ms`;
    });
    this.plot?.setData([this.times, ...this.steps.map((name) => this.series.get(name))], false);
    this.plot?.setScale("x", { min: Math.min(this.times[0], now - LEAST_S), max: now });
  }

  /** @param {string[]} [names] again with these steps, or for colours that have changed */
  rebuild(names = this.steps) {
    this.steps = names;
    this.plot?.destroy();
    const colour = (/** @type {string} */ name, /** @type {number} */ i) => (name === WHOLE ? theme("text") : theme(`series-${(i % COLOURS) + 1}`));
    const dashed = (/** @type {string} */ name, /** @type {number} */ i) => name !== WHOLE && i % (2 * COLOURS) >= COLOURS; // the same colours again, told apart
    this.legend.replaceChildren(...names.map((name, i) => {
      const line = h("i");
      line.style.background = dashed(name, i) ? `repeating-linear-gradient(90deg, ${colour(name, i)} 0 3px, transparent 3px 5px)` : colour(name, i);
      return h("div", {}, h("dt", {}, line, name), h("dd", {}, "–"));
    }));
    const axis = { stroke: theme("muted"), font: "11px system-ui, sans-serif", ticks: { show: false }, grid: { stroke: theme("line"), width: 1 } };
    this.plot = new uPlot({
      width: this.chart.clientWidth || 300, height: HIGH, legend: { show: false }, cursor: { show: false }, padding: [6, 12, 0, 0],
      scales: { x: { time: false, auto: false }, y: { range: (_, __, most) => [0, (most || 1) * 1.15] } },
      axes: [
        { ...axis, size: 18, space: 60, grid: { show: false }, splits: ago, values: (plot, ticks) => ticks.map((tick) => (tick === plot.scales.x.max ? "now" : `${Math.round(tick - plot.scales.x.max)} s`)) },
        { ...axis, size: 40, space: 22 },
      ],
      series: [{}, ...names.map((name, i) => ({ stroke: colour(name, i), width: name === WHOLE ? 2 : 1.25, dash: dashed(name, i) ? [5, 3] : undefined, points: { show: false }, spanGaps: false }))],
    }, [this.times, ...names.map((name) => this.series.get(name))], this.chart);
  }

  size() {
    const width = this.chart.clientWidth;
    if (width && this.plot && this.plot.width !== width) this.plot.setSize({ width, height: HIGH });
  }
}

/** At round numbers of seconds before now, a few of them. */
function ago(_plot, _axis, first, now) {
  const span = now - first;
  const step = STEPS_S.find((each) => span / each <= 6) ?? 30;
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, i) => now - i * step).reverse();
}
