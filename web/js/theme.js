/**
 * How the reader wants to see the page: light, dark, with high contrast, or as the device
 * has it; and how large. Runs before the first paint, so that nothing flashes or jumps.
 * Knows nothing of colours: the style sheets do.
 */

import { Store } from "./store.js";

/** @type {readonly Theme[]} */
export const THEMES = ["system", "light", "dark", "contrast"];

/** Of the letters, in percent of the browser's. */
export const SIZES = [87.5, 100, 112.5, 125, 150, 200];

const store = new Store(() => localStorage);

/** @returns {Theme} */
export function chosenTheme() {
  const kept = store.read("theme");
  return THEMES.find((theme) => theme === kept) ?? "system";
}

/** @param {Theme} theme to be used from now on */
export function chooseTheme(theme) {
  store.write("theme", theme);
  apply(theme);
  document.dispatchEvent(new Event("theme"));
}

/** @returns {Theme} the theme that is now in use */
export function nextTheme() {
  const theme = THEMES[(THEMES.indexOf(chosenTheme()) + 1) % THEMES.length] ?? "system";
  chooseTheme(theme);
  return theme;
}

/** @returns {number} one of SIZES */
export function chosenSize() {
  const kept = store.read("size");
  return SIZES.find((size) => size === kept) ?? 100;
}

/** @param {number} size one of SIZES, to be used from now on */
export function chooseSize(size) {
  store.write("size", size);
  enlarge(size);
}

/** @param {number} size */
function enlarge(size) {
  document.documentElement.style.fontSize = size === 100 ? "" : `${size}%`;
}

/** @param {Theme} theme */
function apply(theme) {
  for (const element of document.querySelectorAll("[data-scheme]")) {
    element.setAttribute("media", condition(theme, element.getAttribute("data-scheme")));
  }
}

/**
 * High contrast is light or dark as the device is; it lies over both.
 * @param {Theme} theme
 * @param {string | null} scheme
 */
function condition(theme, scheme) {
  if (theme === scheme) return "all";
  if (theme === "system" && scheme === "contrast") return "(prefers-contrast: more)";
  if (scheme === "dark" && (theme === "system" || theme === "contrast")) {
    return "(prefers-color-scheme: dark)";
  }
  return "not all";
}

apply(chosenTheme());
enlarge(chosenSize());
