/**
 * One exchange on the screen: the question, the answer as it grows, what is told under
 * it, or why there is none. Shows an Exchange; never changes it.
 */

import { copy } from "./clipboard.js";
import { copyOf, find } from "./dom.js";
import { factsOf } from "./facts.js";
import { Notice } from "./notice.js";
import { Prose } from "./prose.js";

const COPIED_MS = 2000;

export class ExchangeView {
  #exchange;
  #tools;
  #answer;
  #prose;
  #notice;

  /**
   * @param {Exchange} exchange
   * @param {ExchangeTools} tools
   */
  constructor(exchange, tools) {
    this.element = copyOf("exchange");
    this.#exchange = exchange;
    this.#tools = tools;
    this.#answer = find(this.element, ".answer", HTMLElement);
    this.#prose = new Prose(find(this.element, ".prose", HTMLElement), tools.write);
    const notice = find(this.element, ".notice", HTMLElement);
    this.#notice = new Notice(notice, tools.translator, () => tools.retry(exchange));
    tools.translator.translate(this.element);
    this.#fill();
    this.show();
  }

  /** Show the exchange from its beginning, whatever state it is in. */
  show() {
    this.#prose.clear();
    if (this.#exchange.answer) this.#prose.append(this.#exchange.answer);
    if (this.#exchange.state === "pending") this.#showState();
    else this.settle();
  }

  /** @param {string} text that was added to the exchange's answer */
  append(text) {
    this.#prose.append(text);
    this.#showState();
  }

  /** The exchange has come to its end, good or bad. */
  settle() {
    this.#prose.finish(this.#exchange.state === "done");
    this.#showState();
    this.#showFacts();
  }

  #fill() {
    find(this.element, ".bubble", HTMLElement).textContent = this.#exchange.question;
    find(this.element, ".prose", HTMLElement).lang = this.#exchange.language;
    const button = find(this.element, ".copy", HTMLButtonElement);
    button.addEventListener("click", () => this.#copy(button));
  }

  #showState() {
    const { state, answer, failure, ended } = this.#exchange;
    const pending = state === "pending";
    this.#answer.dataset["state"] = pending && answer ? "writing" : state;
    this.#answer.setAttribute("aria-busy", String(pending));
    find(this.element, "footer", HTMLElement).hidden = pending || !answer;
    if (failure) this.#notice.show(failure, ended && answer !== "");
    else this.#notice.hide();
  }

  #showFacts() {
    const items = factsOf(this.#exchange).map(([key, values]) => {
      const item = document.createElement("li");
      this.#tools.translator.set(item, key, values);
      return item;
    });
    find(this.element, ".facts", HTMLElement).replaceChildren(...items);
  }

  /** @param {HTMLButtonElement} button */
  async #copy(button) {
    const { translator, announcer } = this.#tools;
    if (!(await copy(this.#exchange.answer))) return;
    announcer.say(translator.text("answer.copied"));
    translator.name(button, "answer.copied");
    window.setTimeout(() => translator.name(button, "answer.copy"), COPIED_MS);
  }
}
