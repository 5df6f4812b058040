/**
 * Light, dark, or as the device has it. Runs before the first paint, so that a chosen
 * theme never flashes the other one. Knows nothing of colours: the style sheets do.
 */

import { Store } from "./store.js";

/** @type {readonly Theme[]} */
const THEMES = ["system", "light", "dark"];

const store = new Store(() => localStorage);

/** @returns {Theme} */
export function chosenTheme() {
  const kept = store.read("theme");
  return THEMES.find((theme) => theme === kept) ?? "system";
}

/** @returns {Theme} the theme that is now in use */
export function nextTheme() {
  const theme = THEMES[(THEMES.indexOf(chosenTheme()) + 1) % THEMES.length] ?? "system";
  store.write("theme", theme);
  apply(theme);
  return theme;
}

/** @param {Theme} theme */
function apply(theme) {
  for (const element of document.querySelectorAll("[data-scheme]")) {
    element.setAttribute("media", condition(theme, element.getAttribute("data-scheme")));
  }
}

/**
 * @param {Theme} theme
 * @param {string | null} scheme
 */
function condition(theme, scheme) {
  if (theme === "system") return `(prefers-color-scheme: ${scheme})`;
  return theme === scheme ? "all" : "not all";
}

apply(chosenTheme());
