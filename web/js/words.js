/** The page's one translator, for every module that shows words. */

import { Translator } from "./i18n.js";

/** @param {string} language */
async function load(language) {
  const response = await fetch(new URL(`../i18n/${language}.json`, import.meta.url));
  return response.json();
}

export const translator = new Translator(load, navigator.languages);
