/**
 * The way between the versions of an exchange: other answers, other wordings of the
 * question. Knows nothing of what they say.
 */

import { find } from "./dom.js";
import { translator } from "./words.js";

export class Versions {
  #element;
  #exchange;
  #tools;
  #back;
  #on;

  /**
   * @param {HTMLElement} element
   * @param {Exchange} exchange
   * @param {ExchangeTools} tools
   */
  constructor(element, exchange, tools) {
    this.#element = element;
    this.#exchange = exchange;
    this.#tools = tools;
    this.#back = find(element, ".back", HTMLButtonElement);
    this.#on = find(element, ".on", HTMLButtonElement);
    this.#back.addEventListener("click", () => this.#step(-1));
    this.#on.addEventListener("click", () => this.#step(1));
  }

  show() {
    const { versions, at } = this.#place();
    this.#element.hidden = versions.length < 2;
    this.#back.setAttribute("aria-disabled", String(at === 0));
    this.#on.setAttribute("aria-disabled", String(at === versions.length - 1));
    const words = find(this.#element, ".which", HTMLElement);
    const values = { number: at + 1, count: versions.length };
    translator.set(words, "versions.which", values);
  }

  /** Put the cursor on a button that leads on. */
  focus() {
    const { at } = this.#place();
    (at === 0 ? this.#on : this.#back).focus();
  }

  #place() {
    const versions = this.#tools.versions(this.#exchange);
    return { versions, at: versions.indexOf(this.#exchange) };
  }

  /** @param {number} step */
  #step(step) {
    const { versions, at } = this.#place();
    const version = versions[at + step];
    if (version) this.#tools.choose(this.#exchange, version);
  }
}
