/**
 * Moments as the reader writes them, in elements that follow the page's language.
 * Knows nothing of what happened then.
 */

import { element } from "./element.js";
import { translator } from "./words.js";

/** @type {Record<string, Intl.DateTimeFormatOptions>} */
const STYLES = {
  day: { dateStyle: "medium" },
  minute: { dateStyle: "medium", timeStyle: "short" },
};

/**
 * @param {string} moment as ISO 8601 has it
 * @param {"day" | "minute"} [style]
 */
export function dateOf(moment, style = "day") {
  const time = element("time", { datetime: moment, "data-style": style });
  write(time);
  return time;
}

/** @param {HTMLTimeElement} time */
function write(time) {
  const { language } = translator;
  const tag = navigator.languages.find((each) => each.startsWith(language)) ?? language;
  const format = new Intl.DateTimeFormat(tag, STYLES[time.dataset["style"] ?? "day"]);
  time.textContent = format.format(new Date(time.dateTime));
}

document.addEventListener("language", () => {
  for (const time of document.querySelectorAll("time[data-style]")) {
    if (time instanceof HTMLTimeElement) write(time);
  }
});
