/**
 * What stands in a lesson, read out of its content whatever form it was written in.
 * Knows nothing of the screen.
 */

/** @typedef {{question: string, answer: string, context: string, paraphrases: string[]}} Pair */

/** The texts of the whole lesson that a form shows, in their order. */
const TEXTS = ["task_description", "document_outline", "domain", "created_by", "language"];

/**
 * @param {Content} content
 * @param {string} path its place in the tree
 * @returns {string[]} the keys that a form offers: what is there, and what may be missing
 */
export function textKeys(content, path) {
  const knowledge = path.startsWith("knowledge/");
  const usual = ["created_by", "language", ...(knowledge ? ["domain"] : [])];
  usual.push(knowledge && "document" in content ? "document_outline" : "task_description");
  return TEXTS.filter((key) => usual.includes(key) || key in content);
}

/**
 * @param {Content} content
 * @param {string} key `seed_examples` or `exam`
 * @returns {Content[]} its entries; broken ones are left out
 */
export function entriesOf(content, key) {
  const list = content[key];
  return Array.isArray(list) ? list.filter((each) => typeof each !== "string") : [];
}

/**
 * @param {Content} content
 * @param {string} key
 * @returns {Pair[]} every question, with the context it belongs to
 */
export function pairsOf(content, key) {
  return entriesOf(content, key).flatMap((entry) =>
    isGroup(entry)
      ? entriesOf(entry, "questions_and_answers").map((pair) => pairOf(pair, textOf(entry, "context")))
      : [pairOf(entry, textOf(entry, "context"))],
  );
}

/** @param {Content} entry whether it is a text with several questions */
export function isGroup(entry) {
  return "questions_and_answers" in entry;
}

/**
 * @param {Content} content
 * @param {string} key
 */
export function textOf(content, key) {
  const value = content[key];
  return typeof value === "string" ? value : "";
}

/**
 * @param {Content} content
 * @param {string} key
 * @returns {string[]}
 */
export function linesOf(content, key) {
  const list = content[key];
  return Array.isArray(list) ? list.filter((each) => typeof each === "string") : [];
}

/**
 * @param {Content} entry
 * @param {string} context
 * @returns {Pair}
 */
function pairOf(entry, context) {
  return {
    question: textOf(entry, "question"),
    answer: textOf(entry, "answer"),
    context,
    paraphrases: linesOf(entry, "paraphrases"),
  };
}
