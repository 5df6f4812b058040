/** Lessons, for teachers: the tree, one lesson to read or to write, a new one. */

import { refused } from "../account/section.js";
import { element } from "../element.js";
import { Refusal } from "../failure.js";
import { beginLesson } from "../lessons/begin.js";
import { editLesson } from "../lessons/editor.js";
import { showLesson } from "../lessons/reading.js";
import { showTree } from "../lessons/tree.js";
import { translator } from "../words.js";

const EDIT = "edit:";

/**
 * @param {HTMLElement} host
 * @param {string} rest a lesson's place; behind `edit:` the one to write; `new`
 * @returns {Promise<() => void>}
 */
export async function open(host, rest) {
  await Promise.all([translator.load("lessons"), translator.load("account")]);
  const body = element("div", { class: "lessons" });
  try {
    const close = await shown(body, rest);
    host.append(body);
    return close ?? (() => {});
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    host.append(element("div", { class: "lessons" }, refused(error)));
    return () => {};
  }
}

/**
 * @param {HTMLElement} body
 * @param {string} rest
 * @returns {Promise<(() => void) | void>}
 */
function shown(body, rest) {
  if (!rest) return showTree(body);
  if (rest === "new") return beginLesson(body);
  if (rest.startsWith(EDIT)) return editLesson(body, rest.slice(EDIT.length));
  return showLesson(body, rest);
}
