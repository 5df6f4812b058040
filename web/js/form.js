/**
 * A form of labelled fields that is sent once at a time; what the service does not accept is
 * said at its field, everything else above the button. Knows nothing of what is sent.
 */

import { element } from "./element.js";
import { Refusal } from "./failure.js";
import { translator } from "./words.js";

/** @typedef {HTMLInputElement | HTMLSelectElement} Control */

let forms = 0;

export class Form {
  #number = (forms += 1);
  #fields;
  #send;
  #said = element("p", { class: "said", role: "alert", hidden: true });
  #button;
  #sending = false;

  /**
   * @param {Record<string, FieldSpec>} fields by the names that the service has for them
   * @param {Key} offer what the button does
   * @param {(values: Record<string, string>) => Promise<void>} send throws a Refusal
   * @param {string} [kind] of the button
   */
  constructor(fields, offer, send, kind = "primary") {
    this.#fields = fields;
    this.#send = send;
    this.#button = element("button", { type: "submit", class: kind, key: offer });
    this.element = element("form", { class: "form", novalidate: true });
    this.element.append(...this.#rows(), this.#said, this.#button);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** @param {string} name */
  focus(name) {
    this.#fields[name]?.input.focus();
  }

  #rows() {
    return Object.entries(this.#fields).map(([name, { input, label, hint }]) => {
      const id = `form-${this.#number}-${name}`;
      const wrong = element("p", { class: "wrong", id: `${id}-wrong` });
      const described = [wrong.id];
      const row = element("div", { class: "row" }, element("label", { for: id, key: label }), input);
      if (hint) {
        row.append(element("p", { class: "hint", id: `${id}-hint`, key: hint }));
        described.unshift(`${id}-hint`);
      }
      row.append(wrong);
      input.id = id;
      input.setAttribute("aria-describedby", described.join(" "));
      return row;
    });
  }

  async #submit() {
    if (this.#sending || !this.#complete()) return;
    this.#busy(true);
    try {
      await this.#send(this.#values());
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#busy(false);
    }
  }

  #values() {
    const values = Object.entries(this.#fields).map(([name, { input }]) => [name, input.value]);
    return Object.fromEntries(values);
  }

  /** @returns {boolean} whether every field has what it needs; the first that has not is told */
  #complete() {
    this.#clear();
    const missing = Object.values(this.#fields).find(
      ({ input }) => input.required && !input.value.trim(),
    );
    if (missing) this.#point(missing.input, translator.text("form.missing"));
    return !missing;
  }

  #clear() {
    this.#said.hidden = true;
    for (const { input } of Object.values(this.#fields)) {
      input.removeAttribute("aria-invalid");
      wrongOf(input).textContent = "";
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    if (!(error instanceof Refusal)) throw error;
    const told = error.fields.filter(({ field }) => this.#fields[field]);
    for (const { field, message } of told.reverse()) {
      const { input } = /** @type {FieldSpec} */ (this.#fields[field]);
      this.#point(input, sentence(message));
    }
    if (told.length > 0) return;
    this.#said.textContent = error.message;
    this.#said.hidden = false;
  }

  /**
   * @param {Control} input
   * @param {string} words
   */
  #point(input, words) {
    input.setAttribute("aria-invalid", "true");
    wrongOf(input).textContent = words;
    input.focus();
  }

  /** @param {boolean} busy */
  #busy(busy) {
    this.#sending = busy;
    this.#button.setAttribute("aria-disabled", String(busy));
  }
}

/** @param {Control} input */
function wrongOf(input) {
  return /** @type {HTMLElement} */ (document.getElementById(`${input.id}-wrong`));
}

/** @param {string} words as in "must have 10 characters" */
function sentence(words) {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`.replace(/\.\.$/, ".");
}

/**
 * @param {readonly (readonly [value: string, key: Key, values?: Values])[]} options
 * @param {string} [chosen]
 * @param {Features} [features]
 */
export function choice(options, chosen, features) {
  const made = options.map(([value, key, values]) =>
    element("option", { value, key, selected: value === chosen, ...(values && { values }) }),
  );
  return element("select", features, ...made);
}
