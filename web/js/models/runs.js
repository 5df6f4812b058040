/** The trainings so far, the newest first. */

import { dateOf } from "../dates.js";
import { element } from "../element.js";

/** @param {readonly TrainingRun[]} runs */
export function runsPart(runs) {
  const part = element(
    "section",
    { "aria-labelledby": "models-runs" },
    element("h3", { id: "models-runs", key: "models.runs" }),
  );
  if (runs.length === 0) part.append(element("p", { class: "fine", key: "models.noRuns" }));
  else part.append(element("ul", { class: "runs" }, ...runs.map(item)));
  return part;
}

/** @param {TrainingRun} run */
function item({ id, state, begun, lessons, model, exam }) {
  const { before, after } = exam;
  const link = element("a", { href: `#/models/run:${id}` });
  link.append(begun ? dateOf(begun, "minute") : id);
  const facts = element("span", { class: "facts" });
  facts.append(
    lessons.length === 1
      ? element("span", {}, lessons[0] ?? "")
      : element("span", { key: "models.lessonCount", values: { count: lessons.length } }),
  );
  if (typeof before === "number" && typeof after === "number") {
    const values = { before: Math.round(before * 100), after: Math.round(after * 100) };
    facts.append(element("span", { key: "models.examGain", values }));
  }
  return element(
    "li",
    {},
    link,
    element("span", {
      class: `tag state ${state}`,
      key: /** @type {Key} */ (`models.short.${state}`),
      values: { model },
    }),
    facts,
  );
}
