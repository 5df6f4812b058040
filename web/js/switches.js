/**
 * The page's language and theme, and the two switches for them in the menu. Both choices
 * outlast the visit; `language` and `theme` are fired on the document when they change.
 * Knows nothing of the conversation.
 */

import { find } from "./dom.js";
import { bestLanguage } from "./i18n.js";
import { Store } from "./store.js";
import { chosenTheme, nextTheme } from "./theme.js";
import { translator } from "./words.js";

const store = new Store(() => localStorage);

/** Speak the reader's language from now on, and offer the other one. */
export async function offerLanguages() {
  const kept = store.read("language");
  find(document, "#language", HTMLButtonElement).addEventListener("click", () =>
    chooseLanguage(other(translator.language)),
  );
  await speak(kept === "en" || kept === "es" ? kept : bestLanguage(navigator.languages));
}

/** @param {Language} language to be spoken from now on */
export async function chooseLanguage(language) {
  await speak(language);
  store.write("language", language);
}

/** @param {Language} language */
async function speak(language) {
  await translator.use(language);
  document.documentElement.lang = language;
  find(document, "#language", HTMLButtonElement).lang = other(language);
  translator.translate(document);
  document.dispatchEvent(new Event("language"));
}

/**
 * @param {Language} language
 * @returns {Language}
 */
function other(language) {
  return language === "en" ? "es" : "en";
}

export function offerThemes() {
  const button = find(document, "#theme", HTMLButtonElement);
  const show = () => {
    const theme = chosenTheme();
    button.dataset["theme"] = theme;
    translator.name(button, `theme.${theme}`);
  };
  button.addEventListener("click", nextTheme);
  document.addEventListener("theme", show);
  show();
}
