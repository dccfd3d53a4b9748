/**
 * Outlines, boxes, spots and tails of objects: drawn over a pane, and found under the pointer.
 * In raw pixels, counted from the edge of the first one, as the pictures are.
 *
 * @typedef {{name: string, kind: string, table: string, points: ArrayLike<number>, starts: number[], rows: ArrayLike<number>}} Vectors
 * @typedef {Record<string, ArrayLike<number>>} Columns
 */
import { labelColour } from "./luts.js";

export const COLOURS = {
  yellow: "#ffd84d", cyan: "#45e0ff", magenta: "#ff6bf0", green: "#5cf27f", orange: "#ff9f45", white: "#ffffff", "each own": "",
};
const REACH = 9; // screen pixels that a spot may be away from the pointer

/** Vectors of an update. @returns {Vectors[]} */
export function vectorsOf(head, arrays, id) {
  const get = (/** @type {any} */ named) => (named ? arrays[named.array] : null);
  return (head.vectors ?? []).filter((/** @type {any} */ each) => each.id === id).map((/** @type {any} */ each) => {
    const points = get(each.points);
    const n = points?.shape[0] ?? 0;
    const starts = get(each.starts);
    return {
      name: `${each.kind}:${each.table}`, kind: each.kind, table: each.table, points: points?.data ?? [],
      starts: starts ? Array.from(starts.data, Number) : Array.from({ length: n + 1 }, (_, i) => i),
      rows: get(each.rows)?.data ?? Array.from({ length: n }, (_, i) => i),
    };
  });
}

/** Tables of an update by name. @returns {Record<string, Columns>} */
export function tablesOf(head, arrays) {
  return Object.fromEntries((head.tables ?? []).map((/** @type {any} */ table) => [
    table.name,
    Object.fromEntries(Object.entries(table.columns).map(([name, named]) => [name, arrays[/** @type {any} */ (named).array].data])),
  ]));
}

/** What an object goes by over several frames. @param {Columns | undefined} columns @param {number} row */
export function identity(columns, row) {
  for (const name of ["track", "track_id", "label"]) if (columns?.[name]) return Number(columns[name][row]);
  return row;
}

/** @param {CanvasRenderingContext2D} to @param {Vectors} vectors @param {Columns | undefined} columns @param {string} colour */
export function drawVectors(to, vectors, columns, view, colour, chosen) {
  const { points, starts, rows, kind } = vectors;
  const place = (/** @type {number} */ i) => view.pane(points[2 * i], points[2 * i + 1]);
  to.lineJoin = "round";
  for (let i = 0; i + 1 < starts.length; i++) {
    const who = identity(columns, rows[i]);
    const picked = chosen !== null && who === chosen;
    const [red, green, blue] = colour ? [0, 0, 0] : labelColour(who);
    const stroke = (to.strokeStyle = picked ? "#ffffff" : colour || `rgb(${red} ${green} ${blue})`);
    to.lineWidth = picked ? 3 : 1.5;
    to.beginPath();
    if (kind === "boxes") {
      const [x0, y0] = view.pane(points[4 * i], points[4 * i + 1]);
      const [x1, y1] = view.pane(points[4 * i + 2], points[4 * i + 3]);
      to.rect(x0, y0, x1 - x0, y1 - y0);
    } else if (kind === "spots") {
      const [x, y] = place(i);
      to.arc(x, y, Math.min(Math.max(3 * view.zoom, 4), 12), 0, 7);
    } else {
      for (let k = starts[i]; k < starts[i + 1]; k++) to.lineTo(...place(k));
      if (kind === "outlines") to.closePath();
    }
    to.stroke();
    if (kind === "tails" && starts[i + 1] > starts[i]) head(to, place(starts[i + 1] - 1), stroke);
  }
}

function head(to, [x, y], fill) {
  to.beginPath();
  to.fillStyle = fill;
  to.arc(x, y, 2.5, 0, 7);
  to.fill();
}

/** The row of the object at y, x (edges) of the raw frame, or -1. @param {Vectors} vectors */
export function find(vectors, y, x, zoom) {
  const { points, starts, rows, kind } = vectors;
  let best = -1;
  let least = REACH / zoom;
  for (let i = 0; i + 1 < starts.length; i++) {
    if (kind === "boxes") {
      const at = 4 * i;
      if (y >= points[at] && x >= points[at + 1] && y <= points[at + 2] && x <= points[at + 3]) return Number(rows[i]);
    } else if (kind === "outlines") {
      if (inside(points, starts[i], starts[i + 1], y, x)) return Number(rows[i]);
    } else {
      const last = kind === "tails" ? starts[i + 1] - 1 : i;
      const away = Math.hypot(points[2 * last] - y, points[2 * last + 1] - x);
      if (away < least) [best, least] = [Number(rows[i]), away];
    }
  }
  return best;
}

function inside(points, from, to, y, x) {
  let odd = false;
  for (let i = from, j = to - 1; i < to; j = i++) {
    const [yi, xi, yj, xj] = [points[2 * i], points[2 * i + 1], points[2 * j], points[2 * j + 1]];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}
