/**
 * A lesson as a page to read: what it is for, every question with its answer, the exam, and
 * what the checker remarks.
 */

import { confirmed, does } from "../account/section.js";
import { element } from "../element.js";
import { proseOf } from "../prose.js";
import { call } from "../server.js";
import { pairsOf, textOf } from "./content.js";
import { addressOfLesson, endpointOf, shownPath } from "./paths.js";
import { remarkList } from "./remarks.js";
import { trial } from "./trial.js";

/**
 * @param {HTMLElement} host
 * @param {string} path
 */
export async function showLesson(host, path) {
  /** @type {Lesson} */
  const lesson = await call("GET", endpointOf(path));
  host.append(trail(), head(lesson));
  if (lesson.remarks.length > 0) host.append(remarkList(lesson.remarks));
  if (lesson.content) host.append(...body(lesson.content));
  else host.append(element("pre", { class: "file", tabindex: 0 }, lesson.text));
}

export function trail() {
  return element("a", { class: "back", href: "#/lessons", key: "lessons.back" });
}

/** @param {Lesson} lesson */
function head(lesson) {
  const { path, title, valid } = lesson;
  const teach = element("a", {
    class: "plain",
    href: `#/models/train:${path}`,
    key: "lessons.teach",
  });
  teach.hidden = !valid;
  return element(
    "header",
    { class: "top" },
    element("div", {}, element("h2", {}, title), shownPath(path)),
    element(
      "div",
      { class: "buttons" },
      element("a", { class: "primary", href: addressOfLesson(path, "edit"), key: "lessons.edit" }),
      teach,
      deleting(lesson),
    ),
  );
}

/** @param {Lesson} lesson */
function deleting({ path, title, version }) {
  const button = element("button", { type: "button", class: "plain danger", key: "lessons.delete" });
  return does(button, async () => {
    const sure = await confirmed("lessons.deleteSure", "lessons.deleteText", "lessons.delete", { title });
    if (!sure) return;
    await call("DELETE", endpointOf(path), undefined, { "If-Match": `"${version}"` });
    location.hash = "#/lessons";
  });
}

/** @param {Content} content */
function body(content) {
  const about = textOf(content, "task_description") || textOf(content, "document_outline");
  const taught = pairsOf(content, "seed_examples");
  const asked = pairsOf(content, "exam");
  const lang = textOf(content, "language");
  return [
    element("p", { class: "lead", lang }, about),
    facts(content),
    trial([...taught, ...asked], lang),
    questions("lessons.field.seed_examples", taught, lang),
    ...(asked.length > 0 ? [questions("lessons.field.exam", asked, lang)] : []),
  ];
}

/** @param {Content} content */
function facts(content) {
  const rows = ["domain", "language", "created_by"]
    .filter((key) => textOf(content, key))
    .map((key) =>
      element(
        "div",
        {},
        element("dt", { key: /** @type {Key} */ (`lessons.field.${key}`) }),
        element("dd", {}, textOf(content, key)),
      ),
    );
  return element("dl", { class: "about" }, ...rows);
}

/**
 * @param {Key} key
 * @param {import("./content.js").Pair[]} pairs
 * @param {string} lang their language
 */
function questions(key, pairs, lang) {
  /** @type {Node[]} */
  const shown = [];
  pairs.forEach(({ question, answer, context, paraphrases }, at) => {
    if (context && context !== pairs[at - 1]?.context) {
      shown.push(element("blockquote", { lang }, context));
    }
    const card = element(
      "article",
      { class: "pair" },
      element("h4", { lang }, question),
      proseOf(answer, lang),
    );
    if (paraphrases.length > 0) card.append(moreWays(paraphrases, lang));
    shown.push(card);
  });
  return element("section", { class: "questions" }, element("h3", { key }), ...shown);
}

/**
 * @param {readonly string[]} paraphrases
 * @param {string} lang their language
 */
function moreWays(paraphrases, lang) {
  const values = { count: paraphrases.length };
  return element(
    "details",
    {},
    element("summary", { key: "lessons.moreWays", values }),
    element("ul", { lang }, ...paraphrases.map((each) => element("li", {}, each))),
  );
}
