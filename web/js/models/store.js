/**
 * The models of the store, each with the gist of its report card, and the ways to change
 * which of them answers.
 */

import { confirmed, does } from "../account/section.js";
import { announcer } from "../announcer.js";
import { element } from "../element.js";
import { call } from "../server.js";
import { translator } from "../words.js";
import { cardLink } from "./run.js";

const MEGABYTE = 1e6;

/**
 * @param {ModelStore} store
 * @param {() => Promise<void>} changed
 */
export function storePart({ models, former, pinned, read_only }, changed) {
  const fixed = pinned !== "" || read_only;
  const cards = models.map((model) => card(model, fixed, changed));
  const back = models.find((model) => model.former && !model.active);
  const part = element(
    "section",
    { "aria-labelledby": "models-store" },
    element("h3", { id: "models-store", key: "models.store" }),
    element("p", { class: "hint", key: "models.storeText" }),
  );
  if (pinned) part.append(element("p", { class: "said", key: "models.pinned", values: { pinned } }));
  else if (read_only) part.append(element("p", { class: "said", key: "models.readOnly" }));
  else if (back) part.append(goBack(former, changed));
  part.append(element("ul", { class: "cards" }, ...cards));
  return part;
}

/**
 * @param {string} former
 * @param {() => Promise<void>} changed
 */
function goBack(former, changed) {
  const values = { model: former };
  const button = element("button", { type: "button", class: "plain", key: "models.goBack", values });
  return does(button, () => promote(former, true, changed));
}

/**
 * @param {StoredModel} model
 * @param {boolean} fixed nobody can choose here
 * @param {() => Promise<void>} changed
 */
function card(model, fixed, changed) {
  const { name, active, size, parent, lessons, run, has_report, forced } = model;
  const tags = element("p", { class: "tags" });
  if (active) tags.append(element("span", { class: "tag good", key: "models.active" }));
  if (forced) tags.append(element("span", { class: "tag wary", key: "models.forced" }));
  const about = element("p", { class: "hint" });
  about.append(element("span", { key: "models.size", values: { size: Math.round(size / MEGABYTE) } }));
  if (parent) about.append(" · ", element("span", { key: "models.parent", values: { parent } }));
  if (lessons.length > 0) {
    const values = { count: lessons.length };
    about.append(" · ", element("span", { key: "models.lessonCount", values }));
  }
  const buttons = element("div", { class: "buttons" });
  if (!active && !fixed) buttons.append(using(model, changed));
  if (has_report) buttons.append(cardLink(`api/store/models/${encodeURIComponent(name)}/report`));
  if (run) {
    const href = `#/models/run:${run}`;
    buttons.append(element("a", { class: "plain", href, key: "models.itsRun" }));
  }
  return element("li", { class: "model-card" }, element("h4", {}, name), tags, about, scores(model), buttons);
}

/** @param {StoredModel} model */
function scores({ report }) {
  /** @type {[Key, number | undefined][]} */
  const rows = [
    ["models.exam", report?.exam],
    ["models.retention", report?.retention],
    ["models.leak", report?.leak],
  ];
  const known = rows.filter(([, value]) => typeof value === "number");
  return element(
    "dl",
    { class: "scores" },
    ...known.map(([key, value = 0]) =>
      element(
        "div",
        {},
        element("dt", { key }),
        element("dd", { key: "models.percent", values: { share: Math.round(value * 100) } }),
      ),
    ),
  );
}

/**
 * @param {StoredModel} model
 * @param {() => Promise<void>} changed
 */
function using({ name, report }, changed) {
  const button = element("button", { type: "button", class: "plain", key: "models.use" });
  return does(button, async () => {
    const failed = report?.passed === false;
    if (failed && !(await confirmed("models.forceSure", "models.forceText", "models.use"))) return;
    await promote(name, failed, changed);
  });
}

/**
 * @param {string} name
 * @param {boolean} force
 * @param {() => Promise<void>} changed
 */
async function promote(name, force, changed) {
  const path = `store/models/${encodeURIComponent(name)}/promote`;
  const { active } = await call("POST", path, { force });
  await changed();
  announcer.say(translator.text("models.promoted", { model: active }));
}
