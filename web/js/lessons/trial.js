/**
 * A question put to the model that answers now, its answer beside the lesson's.
 */

import { does } from "../account/section.js";
import { element } from "../element.js";
import { proseOf } from "../prose.js";
import { call } from "../server.js";
import { translator } from "../words.js";

const LONGEST = 300;

/**
 * @param {readonly import("./content.js").Pair[]} pairs
 * @param {string} language of the lesson
 */
export function trial(pairs, language) {
  const list = element("datalist", { id: "lesson-questions" });
  for (const { question } of pairs) list.append(element("option", { value: question }));
  const question = element("input", {
    id: "lesson-question",
    list: list.id,
    autocomplete: "off",
    maxlength: 2000,
  });
  question.value = pairs[0]?.question ?? "";
  const result = element("div", { class: "sides", "aria-live": "polite" });
  const button = does(
    element("button", { type: "submit", class: "plain", key: "lessons.ask" }),
    async () => {
      const wanted = question.value.trim();
      if (wanted) result.replaceChildren(...(await sides(wanted, pairs, language)));
    },
  );
  return element(
    "form",
    { class: "trial", "aria-labelledby": "lesson-trial", on: { submit: stay } },
    element("h3", { id: "lesson-trial", key: "lessons.try" }),
    element("p", { class: "hint", key: "lessons.tryText" }),
    element(
      "div",
      { class: "row" },
      element("label", { for: question.id, key: "lessons.field.question" }),
      question,
      list,
    ),
    button,
    result,
  );
}

/** @param {Event} event */
function stay(event) {
  event.preventDefault();
}

/**
 * @param {string} question
 * @param {readonly import("./content.js").Pair[]} pairs
 * @param {string} language of the lesson
 */
async function sides(question, pairs, language) {
  const known = pairs.find((pair) => [pair.question, ...pair.paraphrases].includes(question));
  const context = known?.context ? `${known.context}\n\n` : "";
  const body = { message: `${context}${question}`, temperature: 0, max_tokens: LONGEST };
  const { response, model } = await call("POST", "chat", { ...body, language: translator.language });
  const answered = side("lessons.modelSays", { model }, response, translator.language);
  if (!known) return [answered];
  return [side("lessons.lessonSays", {}, known.answer, language), answered];
}

/**
 * @param {Key} key
 * @param {Values} values
 * @param {string} text
 * @param {string} language
 */
function side(key, values, text, language) {
  return element(
    "article",
    { class: "side-answer" },
    element("h4", { key, values }),
    proseOf(text, language),
  );
}
