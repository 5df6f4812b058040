/**
 * The one translator of the page, for every module that shows words; catalogues are files
 * of `i18n/`: one of the page, and one of each view that is opened on demand.
 */

import { Translator } from "./i18n.js";

/**
 * @param {Language} language
 * @param {string} view "" for the page itself
 */
async function read(language, view) {
  const name = view ? `${view}.${language}` : language;
  const response = await fetch(new URL(`../i18n/${name}.json`, import.meta.url));
  if (!response.ok) throw new Error(`The page has no words at i18n/${name}.json.`);
  return response.json();
}

export const translator = new Translator(read, navigator.languages);
