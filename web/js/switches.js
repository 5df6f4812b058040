/**
 * The two switches in the bar: language and theme. Both choices outlast the visit.
 * Knows nothing of the conversation.
 */

import { find } from "./dom.js";
import { bestLanguage } from "./i18n.js";
import { chosenTheme, nextTheme } from "./theme.js";

/** @typedef {import("./i18n.js").Translator} Translator */

/**
 * Speak the reader's language from now on, and offer the other one.
 * @param {Translator} translator
 * @param {import("./store.js").Store} store
 */
export async function offerLanguages(translator, store) {
  const button = find(document, "#language", HTMLButtonElement);
  const kept = store.read("language");
  /** @param {Language} language */
  const speak = async (language) => {
    await translator.use(language);
    document.documentElement.lang = language;
    button.lang = other(language);
    translator.translate(document);
    document.dispatchEvent(new Event("language"));
  };
  button.addEventListener("click", async () => {
    await speak(other(translator.language));
    store.write("language", translator.language);
  });
  await speak(kept === "en" || kept === "es" ? kept : bestLanguage(navigator.languages));
}

/**
 * @param {Language} language
 * @returns {Language}
 */
function other(language) {
  return language === "en" ? "es" : "en";
}

/** @param {Translator} translator */
export function offerThemes(translator) {
  const button = find(document, "#theme", HTMLButtonElement);
  /** @param {Theme} theme */
  const show = (theme) => {
    button.dataset["theme"] = theme;
    translator.name(button, `theme.${theme}`);
  };
  button.addEventListener("click", nextTheme);
  document.addEventListener("theme", () => show(chosenTheme()));
  show(chosenTheme());
}
