/**
 * A question on the screen, and the way to ask it in other words. Knows nothing of answers.
 */

import { MAX_MESSAGE_CHARACTERS } from "./conversation.js";
import { copyOf, find } from "./dom.js";
import { translator } from "./words.js";

export class QuestionView {
  #element;
  #exchange;
  #tools;
  #bubble;
  #button;

  /**
   * @param {HTMLElement} element
   * @param {Exchange} exchange
   * @param {ExchangeTools} tools
   */
  constructor(element, exchange, tools) {
    this.#element = element;
    this.#exchange = exchange;
    this.#tools = tools;
    this.#bubble = find(element, ".bubble", HTMLElement);
    this.#button = find(element, ".edit", HTMLButtonElement);
    this.#bubble.textContent = exchange.question;
    element.hidden = !exchange.question;
    this.#button.addEventListener("click", () => this.#edit());
  }

  #edit() {
    const form = copyOf("edit");
    const field = find(form, "textarea", HTMLTextAreaElement);
    translator.translate(form);
    field.value = this.#exchange.question;
    field.maxLength = MAX_MESSAGE_CHARACTERS;
    const grow = () => {
      field.style.height = "auto";
      field.style.height = `${field.scrollHeight}px`;
    };
    const close = () => {
      form.remove();
      this.#open(false);
      this.#button.focus();
    };
    field.addEventListener("input", grow);
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target === field) {
        event.preventDefault();
        this.#send(field.value, close);
      }
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(field.value, close);
    });
    find(form, ".cancel", HTMLButtonElement).addEventListener("click", close);
    this.#element.append(form);
    this.#open(true);
    grow();
    field.focus();
  }

  /** @param {boolean} open */
  #open(open) {
    this.#bubble.hidden = open;
    this.#button.hidden = open;
  }

  /**
   * Words that did not change ask nothing new.
   * @param {string} text
   * @param {() => void} close
   */
  #send(text, close) {
    const question = text.trim();
    if (!question || question === this.#exchange.question) return close();
    this.#tools.edit(this.#exchange, question);
  }
}
