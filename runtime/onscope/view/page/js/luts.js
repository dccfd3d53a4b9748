/** Colour maps: 256 colours each, made of a few points between which they are linear. */

/** @type {Record<string, number[][]>} points as [red, green, blue], evenly spaced */
const POINTS = {
  grey: [[0, 0, 0], [255, 255, 255]],
  green: [[0, 0, 0], [0, 255, 0]],
  magenta: [[0, 0, 0], [255, 0, 255]],
  cyan: [[0, 0, 0], [0, 255, 255]],
  yellow: [[0, 0, 0], [255, 230, 0]],
  inferno: [[0, 0, 4], [31, 12, 72], [85, 15, 109], [136, 34, 106], [186, 54, 85], [227, 89, 51], [249, 140, 10], [249, 201, 50], [252, 255, 164]],
  fire: [[0, 0, 0], [32, 0, 110], [120, 0, 140], [200, 20, 70], [245, 90, 0], [255, 165, 0], [255, 225, 60], [255, 255, 255]],
  viridis: [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37]],
  "grey inverted": [[255, 255, 255], [0, 0, 0]],
};
export const MAPS = Object.keys(POINTS);

/** @param {string} name @param {number} at 0 to 1 @returns {number[]} red, green, blue */
export function colourAt(name, at) {
  const points = POINTS[name] ?? POINTS.grey;
  const place = Math.min(Math.max(at, 0), 1) * (points.length - 1);
  const left = Math.min(Math.floor(place), points.length - 2);
  return points[left].map((from, i) => Math.round(from + (points[left + 1][i] - from) * (place - left)));
}

const pack = (/** @type {number[]} */ [red, green, blue], alpha = 255) => ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;

/**
 * Colours of 8-bit values that the server mapped from `had` counts, as if it had mapped them from `want`.
 * @param {string} name @param {number} gamma
 * @param {[number, number]} had @param {[number, number]} want low and high
 * @returns {Uint32Array} (256) ABGR, as ImageData has them
 */
export function table(name, gamma, had, want) {
  const span = Math.max(want[1] - want[0], 1e-9);
  return Uint32Array.from({ length: 256 }, (_, value) => {
    const counts = had[0] + (value / 255) * (had[1] - had[0]);
    const share = Math.min(Math.max((counts - want[0]) / span, 0), 1);
    return pack(colourAt(name, share ** gamma));
  });
}

/**
 * A colour for each label: neighbouring numbers are far apart on the colour circle. 0 is background, and clear.
 * @param {number} seed other colours for another seed
 * @returns {Uint32Array} (65536) ABGR
 */
export function labelTable(seed) {
  const colours = Uint32Array.from({ length: 65536 }, (_, label) => pack(labelColour(label, seed)));
  colours[0] = 0;
  return colours;
}

/** @param {number} label @param {number} seed @returns {number[]} red, green, blue */
export function labelColour(label, seed = 0) {
  const turn = (label * 0.618034 + seed * 0.137) % 1;
  const light = [0.6, 0.72, 0.52][(label + seed) % 3];
  const strong = [0.85, 0.65, 0.75][(label * 7 + seed) % 3];
  const reach = strong * Math.min(light, 1 - light);
  return [0, 8, 4].map((n) => {
    const k = (n + turn * 12) % 12;
    return Math.round(255 * (light - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  });
}
