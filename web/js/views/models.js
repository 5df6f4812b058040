/** Models, for teachers: the store, a training to begin or to watch, two models compared. */

import { refused } from "../account/section.js";
import { find } from "../dom.js";
import { element } from "../element.js";
import { Refusal } from "../failure.js";
import { comparePart } from "../models/compare.js";
import { showRun } from "../models/run.js";
import { runsPart } from "../models/runs.js";
import { storePart } from "../models/store.js";
import { trainPart } from "../models/train.js";
import { call } from "../server.js";
import { translator } from "../words.js";

const RUN = "run:";
const TRAIN = "train:";

/**
 * @param {HTMLElement} host
 * @param {string} rest a run behind `run:`; a lesson to teach behind `train:`
 * @returns {Promise<() => void>}
 */
export async function open(host, rest) {
  await Promise.all(["models", "account"].map((view) => translator.load(view)));
  const body = element("div", { class: "models" });
  try {
    const close = rest.startsWith(RUN)
      ? await showRun(body, rest.slice(RUN.length))
      : await showModels(body, rest.startsWith(TRAIN) ? rest.slice(TRAIN.length) : "");
    host.append(body);
    return close ?? (() => {});
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    host.append(element("div", { class: "models" }, refused(error)));
    return () => {};
  }
}

/**
 * @param {HTMLElement} body
 * @param {string} chosen a lesson
 * @returns {Promise<void>}
 */
async function showModels(body, chosen) {
  const [store, runs, { lessons }] = await Promise.all(
    ["store/models", "runs", "lessons"].map((path) => call("GET", path)),
  );
  const changed = async () => {
    const now = storePart(await call("GET", "store/models"), changed);
    shown.replaceWith(now);
    shown = now;
    const head = find(now, "h3", HTMLElement);
    head.tabIndex = -1;
    head.focus({ preventScroll: true });
  };
  let shown = storePart(store, changed);
  const train = trainPart(lessons, chosen, runs);
  body.append(
    element("header", { class: "top" }, element("h2", { key: "models.title" })),
    element("p", { class: "lead", key: "models.lead" }),
    ...(chosen ? [train, shown] : [shown, train]),
    await comparePart(store),
    runsPart(runs.runs),
  );
}
