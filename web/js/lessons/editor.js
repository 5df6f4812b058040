/**
 * A lesson being written: the form and the file beside each other, each following the other,
 * checked by the service while one types. What is not saved yet survives a reload.
 */

import { does } from "../account/section.js";
import { element } from "../element.js";
import { Refusal } from "../failure.js";
import { call } from "../server.js";
import { Store } from "../store.js";
import { translator } from "../words.js";
import { LessonFields } from "./fields.js";
import { addressOfLesson, endpointOf, shownPath } from "./paths.js";
import { trail } from "./reading.js";
import { remarkAtFields, remarkList } from "./remarks.js";

const PAUSE_MS = 400;
const CHANGED = 412;

const drafts = new Store(() => sessionStorage);

export class Editor {
  #path;
  #version;
  #saved;
  #text;
  #fields;
  #file = element("textarea", { id: "lesson-file", class: "file", spellcheck: "false", rows: 24 });
  #remarks = element("div", { class: "said-here" });
  #count = element("p", { class: "counted", role: "status" });
  #broken = element("p", { class: "said", key: "lessons.brokenYaml", hidden: true });
  #note = element("p", { class: "fine", role: "status" });
  #timer = 0;
  #asked = 0;
  #byForm = false;
  /** @type {Promise<void>} */
  #checking = Promise.resolve();

  /** @param {Lesson} lesson as it was opened; `version` is empty for a new one */
  constructor(lesson) {
    this.#path = lesson.path;
    this.#version = lesson.version;
    this.#saved = lesson.version ? lesson.text : "";
    this.#text = lesson.text;
    this.#fields = new LessonFields(lesson.path, () => this.#later(true));
    this.#file.addEventListener("input", () => this.#later(false));
    const draft = drafts.read(this.#draftName());
    this.#show(lesson, true);
    this.#takeUp(draft);
  }

  /** @param {HTMLElement} host */
  open(host) {
    const save = element("button", { type: "button", class: "primary", key: "lessons.save" });
    host.append(
      trail(),
      element(
        "header",
        { class: "top" },
        element(
          "div",
          {},
          element("h2", { key: this.#version ? "lessons.editing" : "lessons.writing" }),
          shownPath(this.#path),
        ),
        element(
          "div",
          { class: "buttons" },
          does(save, () => this.#save()),
          element("a", {
            class: "plain",
            href: this.#version ? addressOfLesson(this.#path) : "#/lessons",
            key: "lessons.leave",
          }),
        ),
      ),
      this.#note,
      this.#count,
      element(
        "div",
        { class: "panes" },
        element("div", { class: "pane" }, this.#broken, this.#fields.element),
        element(
          "div",
          { class: "pane beside" },
          element("label", { for: this.#file.id, key: "lessons.file" }),
          this.#file,
          this.#remarks,
        ),
      ),
    );
    const again = () => this.#check();
    const warn = (/** @type {Event} */ event) => this.#isDirty() && event.preventDefault();
    document.addEventListener("language", again);
    window.addEventListener("beforeunload", warn);
    return () => {
      window.clearTimeout(this.#timer);
      document.removeEventListener("language", again);
      window.removeEventListener("beforeunload", warn);
    };
  }

  #isDirty() {
    return this.#file.value !== this.#saved;
  }

  /** @param {any} draft what was not saved when this was open before */
  #takeUp(draft) {
    const { text, version } = draft ?? {};
    if (typeof text !== "string" || typeof version !== "string" || text === this.#text) return;
    this.#file.value = text;
    this.#version = version;
    this.#later(false);
    translator.set(this.#note, "lessons.draft");
  }

  #draftName() {
    return `lesson:${this.#path}`;
  }

  /** @param {boolean} byForm whether the form was changed, or else the file */
  #later(byForm) {
    this.#byForm = byForm;
    this.#note.removeAttribute("data-i18n");
    this.#note.textContent = "";
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#check(), PAUSE_MS);
  }

  /** Have the service bring form and file together, and say what it thinks. */
  #check() {
    window.clearTimeout(this.#timer);
    this.#timer = 0;
    this.#checking = this.#ask().catch((error) => {
      if (!(error instanceof Refusal)) throw error;
      this.#note.removeAttribute("data-i18n");
      this.#note.textContent = error.message;
    });
    return this.#checking;
  }

  async #ask() {
    const number = (this.#asked += 1);
    const byForm = this.#byForm;
    const text = byForm ? this.#text : this.#file.value;
    const content = byForm ? { content: this.#fields.content } : {};
    /** @type {Lesson} */
    const lesson = await call("POST", "lessons/check", { path: this.#path, text, ...content });
    if (number === this.#asked && !this.#timer) this.#show(lesson, !byForm);
  }

  /**
   * @param {Lesson} lesson
   * @param {boolean} withForm whether the form shows something else from now on
   */
  #show({ text, content, remarks }, withForm) {
    this.#text = text;
    if (this.#file.value !== text) this.#file.value = text;
    if (withForm && content) this.#fields.show(content);
    this.#broken.hidden = content !== null;
    this.#fields.element.inert = content === null;
    remarkAtFields(this.#fields.element, remarks);
    this.#remarks.replaceChildren(remarkList(remarks, (line) => this.#goTo(line)));
    this.#tell(remarks);
    drafts.write(this.#draftName(), this.#isDirty() ? { text, version: this.#version } : null);
  }

  /** @param {readonly Remark[]} remarks */
  #tell(remarks) {
    const errors = remarks.filter(({ severity }) => severity === "error").length;
    const warnings = remarks.filter(({ severity }) => severity === "warning").length;
    const fine = errors + warnings === 0;
    this.#count.replaceChildren(
      ...(fine ? [element("span", { key: "lessons.canBeTaught" })] : []),
      ...(errors ? [element("span", { class: "tag bad", key: "lessons.errors", values: { count: errors } })] : []),
      ...(warnings ? [element("span", { class: "tag wary", key: "lessons.warnings", values: { count: warnings } })] : []),
    );
  }

  /** @param {number} line */
  #goTo(line) {
    const lines = this.#file.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    this.#file.focus();
    this.#file.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
    const height = this.#file.scrollHeight / lines.length;
    this.#file.scrollTop = Math.max(0, (line - 4) * height);
  }

  async #save() {
    if (this.#timer) this.#check();
    await this.#checking;
    try {
      await this.#put(this.#version);
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== CHANGED) throw error;
      this.#offerBoth(error.message);
    }
  }

  /** @param {string} version that is replaced */
  async #put(version) {
    /** @type {Record<string, string>} */
    const condition = version ? { "If-Match": `"${version}"` } : { "If-None-Match": "*" };
    const text = this.#text;
    const done = await call("PUT", endpointOf(this.#path), { text }, condition);
    this.#version = done.version;
    this.#saved = text;
    drafts.write(this.#draftName(), null);
    if (done.reason) translator.set(this.#note, "lessons.savedOnly", { reason: done.reason });
    else if (done.commit) translator.set(this.#note, "lessons.savedCommit", { commit: done.commit });
    else translator.set(this.#note, "lessons.saved");
  }

  /**
   * Somebody else was quicker: their version can be looked at, or replaced knowingly.
   * @param {string} message
   */
  #offerBoth(message) {
    const theirs = element("a", {
      class: "plain",
      href: addressOfLesson(this.#path),
      target: "_blank",
      rel: "noopener",
      key: "lessons.theirs",
    });
    const mine = element("button", { type: "button", class: "plain danger", key: "lessons.mine" });
    does(mine, async () => {
      const { version } = await call("GET", endpointOf(this.#path));
      await this.#put(version);
    });
    this.#note.removeAttribute("data-i18n");
    this.#note.replaceChildren(
      element("span", {}, message),
      element("span", { class: "buttons" }, theirs, mine),
    );
  }
}

/**
 * @param {HTMLElement} host
 * @param {string} path
 */
export async function editLesson(host, path) {
  return new Editor(await call("GET", endpointOf(path))).open(host);
}
