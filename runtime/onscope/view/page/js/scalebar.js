/** A bar of a round length. */

/**
 * @param {number} zoom CSS pixels per raw pixel
 * @param {number | null} pixel micrometres per raw pixel, null where it is not known
 * @param {number} most CSS pixels
 * @returns {{width: number, words: string}}
 */
export function scaleBar(zoom, pixel, most) {
  const each = zoom / (pixel ?? 1); // CSS pixels per unit
  const power = 10 ** Math.floor(Math.log10(most / each));
  const length = [5, 2, 1].map((n) => n * power).find((n) => n * each <= most) ?? power;
  return { width: length * each, words: pixel ? micrometres(length) : `${length} px` };
}

function micrometres(length) {
  if (length >= 1000) return `${length / 1000} mm`;
  if (length < 0.5) return `${Math.round(length * 1000)} nm`;
  return `${Number(length.toPrecision(2))} µm`;
}
