/**
 * The page's language and theme, and the two switches for them in the menu. Both choices
 * outlast the visit; `language` and `theme` are fired on the document when they change.
 * Knows nothing of the conversation.
 */

import { find } from "./dom.js";
import { bestLanguage } from "./i18n.js";
import { Store } from "./store.js";
import { chosenTheme, nextTheme } from "./theme.js";
import { say } from "./toast.js";
import { translator } from "./words.js";

const store = new Store(() => localStorage);

/** Without words there is no page: they are asked for again until they come. */
const AGAIN_MS = 1000;

/** Speak the reader's language from now on, and offer the other one. */
export async function offerLanguages() {
  const kept = store.read("language");
  find(document, "#language", HTMLButtonElement).addEventListener("click", () =>
    chooseLanguage(other(translator.language)),
  );
  const first = kept === "en" || kept === "es" ? kept : bestLanguage(navigator.languages);
  while (!(await speak(first))) await new Promise((resolve) => window.setTimeout(resolve, AGAIN_MS));
}

/**
 * @param {Language} language to be spoken from now on, if its words can be had
 * @returns {Promise<Language>} that is spoken now
 */
export async function chooseLanguage(language) {
  if (await speak(language)) store.write("language", language);
  else say("failure.offline");
  return translator.language;
}

/**
 * @param {Language} language
 * @returns {Promise<boolean>} whether it has words
 */
async function speak(language) {
  if (!(await translator.use(language).then(() => true, () => false))) return false;
  document.documentElement.lang = language;
  find(document, "#language", HTMLButtonElement).lang = other(language);
  translator.translate(document);
  document.dispatchEvent(new Event("language"));
  return true;
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
