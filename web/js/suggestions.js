/**
 * Questions to begin with: those of the lessons that the model has learned, and where the
 * service knows none, the page's own. Knows nothing of what happens when one is chosen.
 */

import { find } from "./dom.js";
import { translator } from "./words.js";

/** Nobody waits longer for a suggestion. */
const PATIENCE_MS = 800;

/** Offer questions in the reader's language, now and after every switch. */
export function suggest() {
  const list = find(document, "#suggestions", HTMLElement);
  const show = async () => {
    const language = translator.language;
    list.dataset["waiting"] = "";
    const questions = await questionsIn(language);
    if (language !== translator.language) return;
    [...list.querySelectorAll("button")].forEach((button, index) => {
      const question = questions[index];
      const own = /** @type {Key} */ (`welcome.suggestion${index + 1}`);
      if (!question) return translator.set(button, own);
      delete button.dataset["i18n"];
      button.textContent = question;
    });
    delete list.dataset["waiting"];
  };
  document.addEventListener("language", show);
  return show();
}

/**
 * @param {Language} language
 * @returns {Promise<string[]>}
 */
async function questionsIn(language) {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(`api/suggestions?language=${language}`, { signal });
    return response.ok ? (await response.json()).questions : [];
  } catch {
    return [];
  }
}
