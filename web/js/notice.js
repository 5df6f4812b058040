/**
 * A failure in words, with a button to try again that opens when the server said so.
 * Knows nothing of what trying again does.
 */

import { find } from "./dom.js";
import { translator } from "./words.js";

export class Notice {
  #element;
  #button;
  #when;
  #timer = 0;
  /** @type {Key} */
  #offer = "retry.now";

  /**
   * @param {HTMLElement} element
   * @param {() => void} retry
   */
  constructor(element, retry) {
    this.#element = element;
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
    translator.set(reason, `failure.${code}`);
    translator.set(note, "failure.reference", { reference });
    note.hidden = !reference;
    this.#button.hidden = !retryable;
    this.#countDown(retryAt);
    this.#element.hidden = false;
  }

  /** @param {number} retryAt */
  #countDown(retryAt) {
    const seconds = Math.ceil((retryAt - Date.now()) / 1000);
    this.#button.disabled = seconds > 0;
    if (seconds <= 0) return translator.set(this.#when, this.#offer);
    if (seconds < 100) translator.set(this.#when, "retry.seconds", { count: seconds });
    else translator.set(this.#when, "retry.minutes", { count: Math.ceil(seconds / 60) });
    this.#timer = window.setTimeout(() => this.#countDown(retryAt), 1000);
  }
}
