/**
 * A new lesson: what kind, about what, in which language. The service knows where it goes
 * and what is to be filled in; nothing is saved before the teacher says so.
 */

import { element } from "../element.js";
import { choice, Form } from "../form.js";
import { call } from "../server.js";
import { who } from "../who.js";
import { translator } from "../words.js";
import { Editor } from "./editor.js";
import { trail } from "./reading.js";

const KINDS = ["knowledge", "compositional_skills", "foundational_skills"];

/**
 * @param {HTMLElement} host
 * @returns {Promise<() => void>}
 */
export async function beginLesson(host) {
  const [{ subjects }, reader] = await Promise.all([call("GET", "lessons"), who()]);
  let close = () => {};
  const begun = async (/** @type {Record<string, string>} */ values) => {
    const lesson = await call("POST", "lessons/template", {
      ...values,
      grounded: values["grounded"] === "yes",
      created_by: reader.name,
    });
    host.replaceChildren();
    close = new Editor(lesson).open(host);
  };
  const form = new Form(fields(subjects), "lessons.begin", begun);
  host.append(
    trail(),
    element("header", { class: "top" }, element("h2", { key: "lessons.writing" })),
    element("p", { class: "lead", key: "lessons.newLead" }),
    form.element,
  );
  return () => close();
}

/**
 * @param {Subject[]} subjects
 * @returns {Record<string, FieldSpec>}
 */
function fields(subjects) {
  const kind = choice(KINDS.map((each) => [each, /** @type {Key} */ (`lessons.kind.${each}`)]), "knowledge");
  const subject = element("select");
  const fill = () => subject.replaceChildren(...below(subjects, kind.value));
  kind.addEventListener("change", fill);
  fill();
  const languages = choice(
    [["en", "lessons.english"], ["es", "lessons.spanish"]],
    translator.language,
  );
  const grounded = choice([["", "lessons.freeform"], ["yes", "lessons.grounded"]], "");
  const name = element("input", { required: true, maxlength: 80, autocomplete: "off" });
  return {
    kind: { label: "lessons.kind", input: kind, hint: "lessons.kindHint" },
    subject: { label: "lessons.subject", input: subject },
    name: { label: "lessons.name", input: name, hint: "lessons.nameHint" },
    language: { label: "lessons.field.language", input: languages },
    grounded: { label: "lessons.form", input: grounded },
  };
}

/**
 * @param {Subject[]} subjects
 * @param {string} kind
 */
function below(subjects, kind) {
  return subjects
    .filter(({ path }) => path.startsWith(`${kind}/`))
    .map(({ path, title }) => {
      const depth = path.split("/").length - 2;
      const value = path.slice(kind.length + 1);
      return element("option", { value }, `${"\u2003".repeat(depth)}${title}`);
    });
}
