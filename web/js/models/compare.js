/**
 * One question put to two models that the engine serves now, their answers side by side.
 * Says so where it serves only one.
 */

import { does } from "../account/section.js";
import { element } from "../element.js";
import { proseOf } from "../prose.js";
import { call } from "../server.js";
import { translator } from "../words.js";

const LONGEST = 300;

/** @param {ModelStore} store */
export async function comparePart({ models }) {
  const { models: names } = await call("GET", "models").catch(() => ({ models: [] }));
  const part = element(
    "section",
    { "aria-labelledby": "models-compare" },
    element("h3", { id: "models-compare", key: "models.compare" }),
    element("p", { class: "hint", key: "models.compareText" }),
  );
  const away = models.filter(({ name }) => !names.includes(name)).map(({ name }) => name);
  if (names.length > 1) part.append(form(names));
  else {
    const key = names.length === 1 ? "models.compareOne" : "models.compareNone";
    part.append(element("p", { class: "fine", key }));
  }
  if (names.length > 0 && away.length > 0) {
    const values = { models: away.join(", ") };
    part.append(element("p", { class: "hint", key: "models.notServed", values }));
  }
  return part;
}

/** @param {readonly string[]} names */
function form(names) {
  const question = element("input", { id: "compare-question", autocomplete: "off", maxlength: 2000 });
  const first = select("compare-first", names, names[0] ?? "");
  const second = select("compare-second", names, names[1] ?? "");
  const result = element("div", { class: "sides", "aria-live": "polite" });
  const button = element("button", { type: "submit", class: "plain", key: "models.ask" });
  does(button, async () => {
    const message = question.value.trim();
    if (!message) return question.focus();
    const answers = [first, second].map(({ value }) => asked(message, value));
    result.replaceChildren(...(await Promise.all(answers)));
  });
  return element(
    "form",
    { class: "trial", on: { submit: (/** @type {Event} */ event) => event.preventDefault() } },
    row("models.question", question),
    element("div", { class: "two" }, row("models.first", first), row("models.second", second)),
    button,
    result,
  );
}

/**
 * @param {string} id
 * @param {readonly string[]} names
 * @param {string} chosen
 */
function select(id, names, chosen) {
  const made = element("select", { id });
  made.append(...names.map((name) => element("option", { value: name }, name)));
  made.value = chosen;
  return made;
}

/**
 * @param {Key} key
 * @param {HTMLInputElement | HTMLSelectElement} control
 */
function row(key, control) {
  return element("div", { class: "row" }, element("label", { for: control.id, key }), control);
}

/**
 * @param {string} message
 * @param {string} model
 */
async function asked(message, model) {
  const body = { message, model, temperature: 0, max_tokens: LONGEST, language: translator.language };
  const { response, latency_seconds, completion_tokens } = await call("POST", "chat", body);
  const values = { seconds: latency_seconds, count: completion_tokens };
  return element(
    "article",
    { class: "side-answer" },
    element("h4", {}, model),
    proseOf(response, translator.language),
    element("p", { class: "hint", key: "models.took", values }),
  );
}
