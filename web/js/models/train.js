/** A training to begin: which lessons, one at a time. */

import { refused } from "../account/section.js";
import { element } from "../element.js";
import { Refusal } from "../failure.js";
import { call } from "../server.js";
import { translator } from "../words.js";

/**
 * @param {readonly LessonListed[]} lessons
 * @param {string} chosen the lesson that somebody came from
 * @param {RunList} runs which one is under way, and whether one can begin here
 */
export function trainPart(lessons, chosen, { at_work, trains }) {
  const part = element(
    "section",
    { "aria-labelledby": "models-train" },
    element("h3", { id: "models-train", key: "models.train" }),
    element("p", { class: "hint", key: "models.trainText" }),
  );
  if (at_work) part.append(busy(at_work));
  else if (!trains) part.append(element("p", { class: "said", key: "models.elsewhere" }));
  else if (lessons.length === 0) part.append(element("p", { class: "fine", key: "models.noLessons" }));
  else part.append(form(lessons, chosen));
  return part;
}

/** @param {string} run */
function busy(run) {
  return element(
    "p",
    { class: "fine" },
    element("span", { key: "models.busy" }),
    element("a", { class: "plain", href: `#/models/run:${run}`, key: "models.watch" }),
  );
}

/**
 * @param {readonly LessonListed[]} lessons
 * @param {string} chosen
 */
function form(lessons, chosen) {
  const boxes = lessons.map((lesson) => box(lesson, chosen));
  const told = element("p", { class: "hint", role: "status" });
  const count = () => {
    const count = boxes.filter(({ input }) => input.checked).length;
    translator.set(told, "models.chosen", { count });
  };
  count();
  const made = element(
    "form",
    { class: "form train" },
    element(
      "fieldset",
      { class: "lesson-choice", on: { change: count } },
      element("legend", { key: "models.which" }),
      ...boxes.map(({ label }) => label),
    ),
    told,
    element("button", { type: "submit", class: "primary", key: "models.begin" }),
  );
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    begin(made, boxes.filter(({ input }) => input.checked).map(({ input }) => input.value));
  });
  return made;
}

/**
 * @param {LessonListed} lesson
 * @param {string} chosen
 */
function box({ path, title, language, errors, exam }, chosen) {
  const input = element("input", {
    type: "checkbox",
    value: path,
    checked: path === chosen,
    disabled: errors > 0,
  });
  const label = element("label", { class: "check" }, input, element("span", {}, title));
  if (language) label.append(element("span", { class: "tag" }, language));
  if (errors) label.append(element("span", { class: "tag bad", key: "models.faulty" }));
  else if (exam === 0) label.append(element("span", { class: "tag wary", key: "models.noExam" }));
  return { input, label };
}

/**
 * @param {HTMLFormElement} made
 * @param {readonly string[]} lessons
 */
async function begin(made, lessons) {
  made.querySelector(".said")?.remove();
  if (lessons.length === 0) {
    made.append(element("p", { class: "said", role: "alert", key: "models.chooseOne" }));
    return;
  }
  made.inert = true;
  try {
    const { id } = await call("POST", "runs", { lessons });
    location.hash = `#/models/run:${id}`;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    made.append(refused(error));
  }
  made.inert = false;
}
