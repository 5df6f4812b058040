/** How answers should be: their language, model, length and freedom. */

import { element } from "../element.js";
import { choice } from "../form.js";
import { call } from "../server.js";
import { keepServed, want, wanted } from "../wanted.js";
import { line, section } from "./section.js";

/** @typedef {readonly (readonly [value: string, key: Key, values?: Values])[]} Options */

/** @type {Options} */
const LANGUAGES = [
  ["", "account.asPage"],
  ["en", "account.language.en"],
  ["es", "account.language.es"],
];

/** @type {Options} */
const LENGTHS = [
  ["", "account.asSet"],
  ["150", "account.length.short", { count: 150 }],
  ["400", "account.length.medium", { count: 400 }],
  ["1000", "account.length.long", { count: 1000 }],
];

/** @type {Options} */
const TEMPERATURES = [
  ["", "account.asSet"],
  ["0", "account.temperature.exact", { degree: 0 }],
  ["0.3", "account.temperature.calm", { degree: 0.3 }],
  ["0.7", "account.temperature.balanced", { degree: 0.7 }],
  ["1.1", "account.temperature.free", { degree: 1.1 }],
];

export function answers() {
  return section(
    "answers",
    picked("language", "account.answerLanguage", LANGUAGES, (value) => /** @type {Language} */ (value)),
    models(),
    picked("max_tokens", "account.length", LENGTHS, Number),
    picked("temperature", "account.temperature", TEMPERATURES, Number),
  );
}

/**
 * @template {keyof Wanted} Name
 * @param {Name} name
 * @param {Key} label
 * @param {Options} options
 * @param {(value: string) => Wanted[Name]} read
 */
function picked(name, label, options, read) {
  const select = choice(options, String(wanted()[name] ?? ""));
  select.addEventListener("change", () =>
    want(name, select.value === "" ? undefined : read(select.value)),
  );
  return line(label, select);
}

/** The models come when the service has named them; a wish for one that has gone is dropped. */
function models() {
  const shown = picked("model", "account.model", [["", "account.asSet"]], String);
  const select = /** @type {HTMLSelectElement} */ (shown.querySelector("select"));
  const fill = async () => {
    /** @type {{models: string[]}} */
    const { models: served } = await call("GET", "models");
    select.append(...served.map((name) => element("option", { value: name }, name)));
    keepServed(served);
    select.value = wanted().model ?? "";
  };
  fill().catch(() => {}); // the choice stays as it is, and the bar says that nothing answers
  return shown;
}
