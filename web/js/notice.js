/**
 * A failure in words, with a button to try again that opens when the server said so.
 * Knows nothing of what trying again does.
 */

import { find } from "./dom.js";

export class Notice {
  #element;
  #translator;
  #button;
  #when;
  #timer = 0;
  /** @type {Key} */
  #offer = "retry.now";

  /**
   * @param {HTMLElement} element
   * @param {import("./i18n.js").Translator} translator
   * @param {() => void} retry
   */
  constructor(element, translator, retry) {
    this.#element = element;
    this.#translator = translator;
    this.#button = find(element, ".retry", HTMLButtonElement);
    this.#when = find(element, ".when", HTMLElement);
    this.#button.addEventListener("click", retry);
  }

  hide() {
    window.clearTimeout(this.#timer);
    this.#element.hidden = true;
  }

  /**
   * @param {Failure} failure
   * @param {boolean} begun there is an answer to be continued
   */
  show({ code, retryable, retryAt = 0, reference = "" }, begun) {
    this.#offer = begun ? "retry.continue" : "retry.now";
    const reason = find(this.#element, ".reason", HTMLElement);
    const note = find(this.#element, ".reference", HTMLElement);
    this.#translator.set(reason, `failure.${code}`);
    this.#translator.set(note, "failure.reference", { reference });
    note.hidden = !reference;
    this.#button.hidden = !retryable;
    this.#countDown(retryAt);
    this.#element.hidden = false;
  }

  /** @param {number} retryAt */
  #countDown(retryAt) {
    const seconds = Math.ceil((retryAt - Date.now()) / 1000);
    this.#button.disabled = seconds > 0;
    if (seconds <= 0) return this.#translator.set(this.#when, this.#offer);
    if (seconds < 100) this.#translator.set(this.#when, "retry.seconds", { count: seconds });
    else this.#translator.set(this.#when, "retry.minutes", { count: Math.ceil(seconds / 60) });
    this.#timer = window.setTimeout(() => this.#countDown(retryAt), 1000);
  }
}
