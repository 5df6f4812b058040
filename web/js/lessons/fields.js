/**
 * A lesson as a form: a field for each text, a card for each question. What is typed goes
 * into the content at once; keys that the form does not know stay in it.
 */

import { element, icon } from "../element.js";
import { entriesOf, isGroup, linesOf, textKeys, textOf } from "./content.js";

const CROSS = "M6 6l12 12M18 6L6 18";
const PLUS = "M12 5v14M5 12h14";

let fields = 0;

export class LessonFields {
  element = element("div", { class: "fields" });
  #path;
  #changed;
  /** @type {Content} */
  #content = {};

  /**
   * @param {string} path the lesson's place
   * @param {() => void} changed something was typed, added or removed
   */
  constructor(path, changed) {
    this.#path = path;
    this.#changed = changed;
  }

  get content() {
    return this.#content;
  }

  /** @param {Content} content it is the form's from now on */
  show(content) {
    this.#content = content;
    this.#draw();
  }

  #draw() {
    const texts = textKeys(this.#content, this.#path).map((key) =>
      this.#text(this.#content, key, key, key.endsWith("_description") || key.endsWith("_outline")),
    );
    this.element.replaceChildren(
      element("div", { class: "texts" }, ...texts),
      this.#list("seed_examples"),
      this.#list("exam"),
    );
  }

  /** @param {"seed_examples" | "exam"} key */
  #list(key) {
    const entries = entriesOf(this.#content, key);
    const group = key === "seed_examples" && entries.some(isGroup);
    const cards = entries.map((entry, at) =>
      isGroup(entry)
        ? this.#group(entry, entries, `${key}/${at}`)
        : this.#pair(entry, entries, `${key}/${at}`),
    );
    const add = this.#add(group ? "lessons.addContext" : `lessons.add.${key}`, () => {
      const made = group ? groupLike() : pairLike(entries[0], key);
      this.#content[key] = [...entries, made];
      return `${key}/${entries.length}`;
    });
    return element(
      "section",
      { class: "examples", "data-field": key },
      element("h3", { key: `lessons.field.${key}` }),
      element("p", { class: "hint", key: `lessons.about.${key}` }),
      ...cards,
      add,
    );
  }

  /**
   * @param {Content} entry
   * @param {Content[]} entries
   * @param {string} name
   */
  #group(entry, entries, name) {
    const pairs = entriesOf(entry, "questions_and_answers");
    const below = `${name}/questions_and_answers`;
    return element(
      "fieldset",
      { class: "card group", "data-field": name },
      this.#legend("lessons.contextNumber", entries, entry, name),
      this.#text(entry, "context", `${name}/context`, true),
      ...pairs.map((pair, at) => this.#pair(pair, pairs, `${below}/${at}`)),
      this.#add("lessons.add.seed_examples", () => {
        entry["questions_and_answers"] = [...pairs, { question: "", answer: "" }];
        return `${below}/${pairs.length}`;
      }),
    );
  }

  /**
   * @param {Content} entry
   * @param {Content[]} entries
   * @param {string} name
   */
  #pair(entry, entries, name) {
    const grounded = "context" in entry ? [this.#text(entry, "context", `${name}/context`, true)] : [];
    return element(
      "fieldset",
      { class: "card", "data-field": name },
      this.#legend("lessons.questionNumber", entries, entry, name),
      ...grounded,
      this.#text(entry, "question", `${name}/question`, true),
      this.#text(entry, "answer", `${name}/answer`, true),
      ...(name.startsWith("exam") ? [] : [this.#paraphrases(entry, name)]),
    );
  }

  /**
   * @param {Key} key
   * @param {Content[]} entries
   * @param {Content} entry
   * @param {string} name
   */
  #legend(key, entries, entry, name) {
    const number = entries.indexOf(entry) + 1;
    const click = () => this.#remove(entry, name);
    const features = { type: "button", class: "remove", called: /** @type {Key} */ ("lessons.remove") };
    return element(
      "legend",
      {},
      element("span", { key, values: { number } }),
      element("button", { ...features, on: { click } }, icon(CROSS)),
    );
  }

  /**
   * Take an entry out of its list, and go on where another one would be added.
   * @param {Content} entry
   * @param {string} name
   */
  #remove(entry, name) {
    for (const owner of [this.#content, ...entriesOf(this.#content, "seed_examples")]) {
      for (const key of ["seed_examples", "exam", "questions_and_answers"]) {
        const entries = entriesOf(owner, key);
        if (entries.includes(entry)) owner[key] = entries.filter((each) => each !== entry);
      }
    }
    this.#draw();
    this.#changed();
    const list = name.replace(/(?:\/questions_and_answers)?\/\d+$/, "");
    const add = `[data-field="${CSS.escape(list)}"] > button`;
    /** @type {HTMLElement | null} */
    const next = this.element.querySelector(add);
    next?.focus();
  }

  /**
   * @param {Key} key
   * @param {() => string} make adds something and gives its name
   */
  #add(key, make) {
    const click = () => {
      const name = make();
      this.#draw();
      this.#changed();
      const card = this.element.querySelector(`[data-field="${CSS.escape(name)}"]`);
      card?.querySelector("textarea")?.focus();
    };
    const words = element("span", { key });
    return element("button", { type: "button", class: "plain", on: { click } }, icon(PLUS), words);
  }

  /**
   * @param {Content} owner
   * @param {string} key
   * @param {string} name
   * @param {boolean} long
   */
  #text(owner, key, name, long) {
    const id = `lesson-field-${(fields += 1)}`;
    const control = long
      ? element("textarea", { id, rows: key === "answer" ? 2 : 1, "data-field": name })
      : element("input", { id, "data-field": name, autocomplete: "off" });
    control.value = textOf(owner, key);
    control.addEventListener("input", () => {
      owner[key] = control.value;
      this.#changed();
    });
    return row(id, /** @type {Key} */ (`lessons.field.${key}`), control);
  }

  /**
   * @param {Content} owner
   * @param {string} name
   */
  #paraphrases(owner, name) {
    const id = `lesson-field-${(fields += 1)}`;
    const control = element("textarea", { id, rows: 1, "data-field": `${name}/paraphrases` });
    control.value = linesOf(owner, "paraphrases").join("\n");
    control.addEventListener("input", () => {
      owner["paraphrases"] = control.value.split("\n").map((line) => line.trim()).filter(Boolean);
      this.#changed();
    });
    return row(id, "lessons.field.paraphrases", control);
  }
}

/**
 * @param {string} id
 * @param {Key} key
 * @param {HTMLElement} control
 */
function row(id, key, control) {
  return element("div", { class: "row" }, element("label", { for: id, key }), control);
}

/**
 * @param {Content | undefined} like
 * @param {string} key
 * @returns {Content}
 */
function pairLike(like, key) {
  const context = like && "context" in like ? { context: "" } : {};
  return { ...context, question: "", answer: "", ...(key === "exam" ? {} : { paraphrases: [] }) };
}

/** @returns {Content} */
function groupLike() {
  return { context: "", questions_and_answers: [{ question: "", answer: "" }] };
}
