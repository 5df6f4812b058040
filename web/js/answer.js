/**
 * One exchange on the screen: the question, the answer as it grows, what is told under
 * it, or why there is none. Shows an Exchange; never changes it.
 */

import { announcer } from "./announcer.js";
import { copy } from "./clipboard.js";
import { copyOf, find } from "./dom.js";
import { factsOf } from "./facts.js";
import { Notice } from "./notice.js";
import { Prose } from "./prose.js";
import { QuestionView } from "./question.js";
import { Versions } from "./versions.js";
import { translator } from "./words.js";

const COPIED_MS = 2000;

export class ExchangeView {
  #exchange;
  #tools;
  #answer;
  #prose;
  #notice;
  #versions;

  /**
   * @param {Exchange} exchange
   * @param {ExchangeTools} tools
   */
  constructor(exchange, tools) {
    this.element = copyOf("exchange");
    this.#exchange = exchange;
    this.#tools = tools;
    this.#answer = find(this.element, ".answer", HTMLElement);
    this.#prose = new Prose(find(this.element, ".prose", HTMLElement));
    const notice = find(this.element, ".notice", HTMLElement);
    this.#notice = new Notice(notice, () => tools.retry(exchange));
    this.#versions = new Versions(find(this.element, ".versions", HTMLElement), exchange, tools);
    translator.translate(this.element);
    new QuestionView(find(this.element, ".question", HTMLElement), exchange, tools);
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
    if (this.#answer.dataset["state"] !== "writing") this.#showState();
  }

  /** @param {number} place in the queue; 0: it is being answered */
  wait(place) {
    const words = find(this.element, ".queue", HTMLElement);
    words.hidden = !place;
    translator.set(words, "answer.queue", { count: place });
  }

  /** The exchange has come to its end, good or bad. */
  settle() {
    this.#prose.finish(this.#exchange.state === "done");
    this.wait(0);
    this.#showState();
    this.#showFacts();
    this.#versions.show();
    this.#offerRating();
  }

  /** Whoever walks between versions goes on walking. */
  focusVersions() {
    this.#versions.focus();
  }

  #fill() {
    find(this.element, ".prose", HTMLElement).lang = this.#exchange.language;
    const button = find(this.element, ".copy", HTMLButtonElement);
    button.addEventListener("click", () => this.#copy(button));
    const again = find(this.element, ".regenerate", HTMLButtonElement);
    again.addEventListener("click", () => this.#tools.regenerate(this.#exchange));
  }

  #showState() {
    const { state, answer, failure, ended, streamId } = this.#exchange;
    const pending = state === "pending";
    this.#answer.dataset["state"] = pending && answer ? "writing" : state;
    this.#answer.setAttribute("aria-busy", String(pending));
    find(this.element, "footer", HTMLElement).hidden = pending;
    find(this.element, ".copy", HTMLElement).hidden = !answer;
    find(this.element, ".regenerate", HTMLElement).hidden = !streamId;
    if (failure) this.#notice.show(failure, ended && answer !== "");
    else this.#notice.hide();
  }

  /**
   * Whatever there is of an answer can be rated; a new version of it is another answer.
   * What cannot be fetched, as the network is gone, is not offered.
   */
  async #offerRating() {
    const { streamId, answer, feedback } = this.#exchange;
    if (!streamId || !answer) return;
    const fetched = await import("./feedback.js").catch(() => undefined);
    await fetched?.feedbackFor(streamId, find(this.element, ".rate", HTMLElement), {
      given: feedback ?? null,
      answer,
      onKept: (given) => this.#tools.rated(this.#exchange, given),
    });
  }

  #showFacts() {
    const items = factsOf(this.#exchange).map(([key, values]) => {
      const item = document.createElement("li");
      translator.set(item, key, values);
      return item;
    });
    find(this.element, ".facts", HTMLElement).replaceChildren(...items);
  }

  /** @param {HTMLButtonElement} button */
  async #copy(button) {
    if (!(await copy(this.#exchange.answer))) return;
    announcer.say(translator.text("answer.copied"));
    translator.name(button, "answer.copied");
    window.setTimeout(() => translator.name(button, "answer.copy"), COPIED_MS);
  }
}
