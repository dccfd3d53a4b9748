/** Elements from plain calls. No markup is ever made from text, and no style attribute is written. */

/**
 * @param {string} name "div.card.wide": a tag and its classes
 * @param {Record<string, any>} [given] attributes; `on...` are listeners; true and false set and leave out
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any} the element
 */
export function h(name, given = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(given)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked") element[key] = value;
    else if (key.startsWith("aria-") && typeof value === "boolean") element.setAttribute(key, String(value));
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, String(value));
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  pause: "M8 5v14M16 5v14", play: "M8 5l11 7-11 7z", stop: "M6 6h12v12H6z",
  camera: "M4 8h3l2-3h6l2 3h3v11H4zM12 10a3.5 3.5 0 100 7 3.5 3.5 0 000-7z",
  side: "M4 5h7v14H4zM13 5h7v14h-7z", swipe: "M4 5h16v14H4zM12 3v18M9 10l-2 2 2 2M15 10l2 2-2 2",
  overlay: "M4 4h11v11H4zM9 9h11v11H9z", fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  link: "M10 14a4 4 0 005.7 0l3-3A4 4 0 0013 5.300l-1 1M14 10a4 4 0 00-5.700 0l-3 3a4 4 0 005.700 5.700l1-1",
  sun: "M12 8a4 4 0 100 8 4 4 0 000-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.500 1.500M17.500 17.500L19 19M5 19l1.500-1.500M17.500 6.500L19 5",
  help: "M9 9a3 3 0 116 0c0 2-3 2.500-3 4.500M12 17.500v.500M12 2.500a9.500 9.500 0 100 19 9.500 9.500 0 000-19z",
  panel: "M4 5h16v14H4zM15 5v14", eye: "M2 12s3.500-6.500 10-6.500S22 12 22 12s-3.500 6.500-10 6.500S2 12 2 12zM12 9a3 3 0 100 6 3 3 0 000-6z",
  whole: "M4 4h16v16H4z", plus: "M12 5v14M5 12h14", minus: "M5 12h14", dice: "M4 4h16v16H4zM8.500 8.500v.1M15.500 15.500v.1M12 12v.1",
  shield: "M12 3l8 3v6c0 4.500-3.500 7.500-8 9-4.500-1.500-8-4.500-8-9V6z", swap: "M4 8h14l-4-4M20 16H6l4 4",
};

/** A line drawing of 24 x 24. @param {keyof typeof ICONS} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** @param {string} name @returns {any} the element with that id */
export const by = (name) => document.getElementById(name);

/** A number in a few characters: 3 significant digits, whole from a hundred on. @param {number | null | undefined} value */
export function short(value) {
  if (value == null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return value.toExponential(1).replace("e+", "e");
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString("en").replaceAll(",", "\u202f");
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** A colour of the theme as it is now. @param {string} name without its dashes */
export const theme = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
