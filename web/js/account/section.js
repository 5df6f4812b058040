/** The parts of a settings page: a section with its title, a line in it, things that come later. */

import { element } from "../element.js";
import { Refusal } from "../failure.js";
import { translator } from "../words.js";

/**
 * @param {string} name gives the words `account.<name>` and `account.<name>Text`
 * @param {...Node} children
 */
export function section(name, ...children) {
  const id = `account-${name}`;
  const title = element("h3", { id, key: /** @type {Key} */ (`account.${name}`) });
  const text = element("p", { key: /** @type {Key} */ (`account.${name}Text`) });
  return element(
    "section",
    { class: "setting", "aria-labelledby": id },
    element("div", { class: "about" }, title, text),
    element("div", { class: "body" }, ...children),
  );
}

/**
 * @param {Key} label
 * @param {HTMLInputElement | HTMLSelectElement} control
 */
export function line(label, control) {
  return element("label", { class: "line" }, element("span", { key: label }), control);
}

/**
 * Choices of which one holds, all of them in sight.
 * @template {string | number} Value
 * @param {Key} label
 * @param {readonly (readonly [value: Value, key: Key, values?: Values])[]} options
 * @param {Value} chosen
 * @param {(value: Value) => void | Promise<Value>} choose may give what holds in the end
 */
export function choices(label, options, chosen, choose) {
  const group = `choices-${label}`;
  /** @type {Map<Value, HTMLInputElement>} */
  const inputs = new Map();
  const made = options.map(([value, key, values = {}]) => {
    const input = element("input", {
      type: "radio",
      name: group,
      value,
      checked: value === chosen,
      on: { change: () => decide(value) },
    });
    inputs.set(value, input);
    return element("label", { class: "choice" }, input, element("span", { key, values }));
  });
  /** @param {Value} value */
  const decide = async (value) => {
    const held = inputs.get((await choose(value)) ?? value);
    if (held) held.checked = true;
  };
  const legend = element("legend", { key: label });
  return element("fieldset", { class: "choices" }, legend, element("div", {}, ...made));
}

/**
 * Fill a part once the service has told what is in it; say why, if it does not.
 * @param {HTMLElement} part
 * @param {() => Promise<Node[]>} fill
 */
export async function filled(part, fill) {
  part.setAttribute("aria-busy", "true");
  try {
    part.replaceChildren(...(await fill()));
  } catch (error) {
    part.replaceChildren(refused(error));
  }
  part.removeAttribute("aria-busy");
}

/**
 * Do what a button is for when it is pressed.
 * @param {HTMLButtonElement} button
 * @param {() => Promise<unknown>} work
 */
export function does(button, work) {
  button.addEventListener("click", () => attempt(button, work));
  return button;
}

/**
 * Do what a control is for, once at a time; a refusal is said behind it.
 * @param {HTMLElement} control
 * @param {() => Promise<unknown>} work
 * @returns {Promise<boolean>} whether it was done
 */
export async function attempt(control, work) {
  if (control.getAttribute("aria-disabled") === "true") return false;
  control.setAttribute("aria-disabled", "true");
  if (control.nextElementSibling?.matches(".said")) control.nextElementSibling.remove();
  try {
    await work();
    return true;
  } catch (error) {
    control.after(refused(error));
    return false;
  } finally {
    control.removeAttribute("aria-disabled");
  }
}

/** @param {unknown} error */
export function refused(error) {
  if (!(error instanceof Refusal)) throw error;
  return element("p", { class: "said", role: "alert" }, error.message);
}

/**
 * Ask before something that cannot be undone.
 * @param {Key} title
 * @param {Key} text
 * @param {Key} go
 * @param {Values} [values]
 * @returns {Promise<boolean>}
 */
export function confirmed(title, text, go, values = {}) {
  const dialog = element("dialog", { class: "sure", "aria-labelledby": "sure" });
  const stay = element("button", { type: "button", class: "plain", key: "account.stay" });
  const sure = element("button", { type: "button", class: "danger", key: go });
  stay.addEventListener("click", () => dialog.close(""));
  sure.addEventListener("click", () => dialog.close("go"));
  dialog.append(
    element("h3", { id: "sure", key: title, values }),
    element("p", { key: text, values }),
    element("div", { class: "buttons" }, stay, sure),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "go");
    });
  });
}

/** @param {Key} key */
export const words = (key) => translator.text(key);
