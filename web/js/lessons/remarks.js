/**
 * What the checker says: all of it in a list with its lines, and each thing at the field that
 * it is about. Knows nothing of how a lesson is checked.
 */

import { element, icon } from "../element.js";

const WARNING = "M12 4l9 16H3zM12 10v4.5M12 17.4v.1";
const FINE = "M5 12.5l4.5 4.5L19 7.5";

let shown = 0;

/**
 * @param {readonly Remark[]} remarks
 * @param {(line: number) => void} [goTo] shows a line of the file
 */
export function remarkList(remarks, goTo) {
  if (remarks.length === 0) {
    return element("p", { class: "fine" }, icon(FINE), element("span", { key: "lessons.fine" }));
  }
  return element("ul", { class: "remarks" }, ...remarks.map((remark) => item(remark, goTo)));
}

/**
 * @param {Remark} remark
 * @param {(line: number) => void} [goTo]
 */
function item({ line, severity, message, hint }, goTo) {
  const place = { key: /** @type {Key} */ ("lessons.line"), values: { line } };
  const where = goTo
    ? element("button", { type: "button", class: "where", ...place, on: { click: () => goTo(line) } })
    : element("span", { class: "where", ...place });
  return element(
    "li",
    { class: severity },
    icon(WARNING),
    element("div", {}, where, element("p", {}, message), element("p", { class: "hint" }, hint)),
  );
}

/**
 * Say at each field of a form what is remarked about it.
 * @param {HTMLElement} form its fields have `data-field`
 * @param {readonly Remark[]} remarks
 */
export function remarkAtFields(form, remarks) {
  for (const said of form.querySelectorAll(".wrong[data-said]")) said.remove();
  for (const control of form.querySelectorAll("[data-field]")) {
    control.removeAttribute("aria-describedby");
    control.removeAttribute("aria-invalid");
  }
  for (const remark of remarks) {
    const control = controlOf(form, remark.field);
    if (control) say(control, remark);
  }
}

/**
 * @param {HTMLElement} form
 * @param {string} field that, or the nearest above it that is shown
 */
function controlOf(form, field) {
  for (let name = field; name; name = name.slice(0, Math.max(0, name.lastIndexOf("/")))) {
    const found = form.querySelector(`[data-field="${CSS.escape(name)}"]`);
    if (found) return found;
  }
  return null;
}

/**
 * @param {Element} control
 * @param {Remark} remark
 */
function say(control, { severity, message, hint }) {
  const id = `remark-${(shown += 1)}`;
  const said = element("p", { class: `wrong ${severity}`, id, "data-said": true }, `${message} ${hint}`);
  const head = control.querySelector(":scope > .hint, :scope > legend");
  (head ?? control).after(said);
  const before = control.getAttribute("aria-describedby");
  control.setAttribute("aria-describedby", before ? `${before} ${id}` : id);
  if (severity === "error" && control.matches("input, textarea")) {
    control.setAttribute("aria-invalid", "true");
  }
}
