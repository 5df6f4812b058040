/**
 * Elements made by script, with their words by key, so that they follow the language.
 * What people or the service wrote comes in as text nodes only, never as markup.
 * Knows nothing of what they are for.
 */

import { translator } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {HTMLElement} made
 * @param {Features} features
 */
function dress(made, { key, values, called, label, on, ...attributes }) {
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(attribute, "");
    else if (value !== false && value !== undefined) made.setAttribute(attribute, String(value));
  }
  if (key) translator.set(made, key, values);
  if (called) translator.name(made, called);
  if (label) {
    made.dataset["i18nLabel"] = label;
    made.setAttribute("aria-label", translator.text(label));
  }
  for (const [event, listener] of Object.entries(on ?? {})) made.addEventListener(event, listener);
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Features} [features] attributes; `key`, `values`, `called` and `label` are words, `on` listeners
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, features = {}, ...children) {
  const made = document.createElement(tag);
  dress(made, features);
  made.append(...children);
  return made;
}

/**
 * One of the icons in the page's sprite, or a drawing of its own.
 * @param {string} name of the symbol; a path's data where it begins with M
 */
export function icon(name) {
  const drawing = name.startsWith("M");
  const svg = document.createElementNS(SVG, "svg");
  const part = document.createElementNS(SVG, drawing ? "path" : "use");
  part.setAttribute(drawing ? "d" : "href", drawing ? name : `#icon-${name}`);
  if (drawing) svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(part);
  return svg;
}
