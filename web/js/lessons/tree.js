/**
 * The tree of lessons: subjects that open and close, a search as one types, and at every
 * lesson what is in it and whether it can be taught.
 */

import { element, icon } from "../element.js";
import { call } from "../server.js";
import { translator } from "../words.js";
import { addressOfLesson } from "./paths.js";

/** @typedef {{path: string, title: string, below: Map<string, Branch>, lessons: LessonListed[]}} Branch */

/** @param {HTMLElement} host */
export async function showTree(host) {
  /** @type {Tree} */
  const tree = await call("GET", "lessons");
  const list = element("div", { class: "tree" }, ...branches(grown(tree)));
  const none = element("p", { class: "hint", role: "status", key: "lessons.none" });
  none.hidden = tree.lessons.length > 0;
  const search = element("input", {
    type: "search",
    label: "lessons.search",
    placeholder: translator.text("lessons.search"),
    "data-i18n-placeholder": "lessons.search",
    on: { input: () => (none.hidden = filter(list, search.value)) },
  });
  host.append(
    element(
      "header",
      { class: "top" },
      element("h2", { key: "lessons.title" }),
      element(
        "a",
        { class: "primary", href: "#/lessons/new" },
        icon("M12 5v14M5 12h14"),
        element("span", { key: "lessons.new" }),
      ),
    ),
    element("p", { class: "lead", key: "lessons.lead" }),
    element("div", { class: "row find" }, search),
    none,
    list,
  );
}

/**
 * @param {Tree} tree
 * @returns {Branch}
 */
function grown({ subjects, lessons }) {
  const titles = new Map(subjects.map(({ path, title }) => [path, title]));
  const root = branch("", "");
  for (const lesson of lessons) {
    let here = root;
    const parts = lesson.path.split("/").slice(0, lesson.path.endsWith(`/${lesson.language}`) ? -2 : -1);
    parts.forEach((part, depth) => {
      const path = parts.slice(0, depth + 1).join("/");
      const next = here.below.get(part) ?? branch(path, titles.get(path) ?? part);
      here.below.set(part, next);
      here = next;
    });
    here.lessons.push(lesson);
  }
  return root;
}

/**
 * @param {string} path
 * @param {string} title
 * @returns {Branch}
 */
function branch(path, title) {
  return { path, title, below: new Map(), lessons: [] };
}

/**
 * @param {Branch} branch
 * @returns {HTMLElement[]}
 */
function branches({ below }) {
  return [...below.values()].map((each) =>
    element(
      "details",
      { open: true },
      element("summary", {}, name(each), element("span", { class: "count" }, String(count(each)))),
      element("ul", {}, ...each.lessons.map(leaf)),
      ...branches(each),
    ),
  );
}

/** @param {Branch} branch */
function name({ path, title }) {
  if (path.includes("/")) return element("span", {}, title);
  return element("span", { key: /** @type {Key} */ (`lessons.kind.${path}`) });
}

/**
 * @param {Branch} branch
 * @returns {number}
 */
function count({ below, lessons }) {
  return [...below.values()].reduce((sum, each) => sum + count(each), lessons.length);
}

/** @param {LessonListed} lesson */
function leaf({ path, title, language, questions, exam, errors, warnings }) {
  const facts = element("span", { class: "facts" });
  facts.append(element("span", { key: "lessons.questions", values: { count: questions } }));
  facts.append(element("span", { key: "lessons.inExam", values: { count: exam } }));
  const tags = [];
  if (language) tags.push(element("span", { class: "tag" }, language));
  if (errors) tags.push(counted("lessons.errors", errors, "tag bad"));
  if (warnings) tags.push(counted("lessons.warnings", warnings, "tag wary"));
  return element(
    "li",
    { "data-words": `${title} ${path}`.toLowerCase() },
    element("a", { href: addressOfLesson(path) }, title),
    ...tags,
    facts,
  );
}

/**
 * @param {Key} key
 * @param {number} number
 * @param {string} kind
 */
function counted(key, number, kind) {
  return element("span", { class: kind, key, values: { count: number } });
}

/**
 * @param {HTMLElement} list
 * @param {string} words
 * @returns {boolean} whether anything is left
 */
function filter(list, words) {
  const wanted = words.trim().toLowerCase();
  for (const item of list.querySelectorAll("li")) {
    item.hidden = !item.dataset["words"]?.includes(wanted);
  }
  for (const part of list.querySelectorAll("details")) {
    part.hidden = !part.querySelector("li:not([hidden])");
    if (wanted) part.open = true;
  }
  return list.querySelector("li:not([hidden])") !== null;
}
