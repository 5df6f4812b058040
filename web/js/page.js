/**
 * The conversation's place on the page: composer, suggestions, and the ways to begin anew
 * or go back. The larger half of the page, which reads and shows answers, is fetched when
 * it is first needed. Knows nothing of answers itself.
 */

import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { find } from "./dom.js";
import { Follower } from "./follow.js";

/** @typedef {import("./chat.js").Chat} Chat */

/** @param {string} id */
const element = (id) => find(document, `#${id}`, HTMLElement);

/** @param {string} id */
const button = (id) => find(document, `#${id}`, HTMLButtonElement);

export class Page {
  #surroundings;
  #conversation;
  #follower;
  #composer;
  /** @type {Promise<Chat> | undefined} */
  #fetched;

  /** @param {PageSurroundings} surroundings */
  constructor(surroundings) {
    const { translator, store } = surroundings;
    this.#surroundings = surroundings;
    this.#conversation = new Conversation(store);
    this.#follower = new Follower(element("scroller"), element("transcript"), button("newest"));
    const form = find(document, "#composer", HTMLFormElement);
    this.#composer = new Composer(form, translator, store, {
      send: (question) => this.#ask(question),
      stop: () => this.#fetched?.then((chat) => chat.stop()),
    });
  }

  open() {
    const conversation = this.#conversation;
    button("new").addEventListener("click", () => this.#replace(() => conversation.clear()));
    button("previous").addEventListener("click", () =>
      this.#replace(() => conversation.bringBack()),
    );
    for (const suggestion of element("suggestions").querySelectorAll("button")) {
      suggestion.addEventListener("click", () => {
        if (!this.#composer.busy) this.#ask(suggestion.textContent ?? "");
      });
    }
    for (const sign of ["input", "pointerdown"]) {
      element("main").addEventListener(sign, () => this.#chat().catch(() => {}), { once: true });
    }
    window.addEventListener("pagehide", () => conversation.save());
    document.addEventListener("visibilitychange", () => conversation.save());
  }

  /** @returns {Promise<Chat>} */
  #chat() {
    this.#fetched ??= this.#fetchChat();
    return this.#fetched;
  }

  async #fetchChat() {
    try {
      const { Chat } = await import("./chat.js");
      return new Chat({
        ...this.#surroundings,
        conversation: this.#conversation,
        transcript: element("transcript"),
        announcements: element("announcements"),
        onBusy: (busy) => this.#busy(busy),
      });
    } catch (error) {
      this.#fetched = undefined;
      throw error;
    }
  }

  /** @param {string} question */
  async #ask(question) {
    this.#composer.busy = true;
    const chat = await this.#chat().catch(() => undefined);
    if (!chat) return this.#giveBack(question);
    chat.ask(question);
    this.#arrange();
  }

  /** @param {string} question */
  #giveBack(question) {
    this.#composer.busy = false;
    this.#composer.giveBack(question);
    this.#surroundings.onFailure();
  }

  /**
   * The button that began it may have gone: the focus must not go with it.
   * @param {boolean} busy
   */
  #busy(busy) {
    this.#composer.busy = busy;
    if (!busy) return;
    this.#composer.focus();
    this.#follower.toEnd();
  }

  /** @param {() => void} change */
  async #replace(change) {
    (await this.#chat()).stop();
    change();
    await this.show();
  }

  /** The conversation as it is kept. */
  async show() {
    this.#arrange();
    this.#composer.focus();
    if (this.#fetched || this.#conversation.exchanges.length > 0) (await this.#chat()).show();
    this.#follower.toEnd();
  }

  #arrange() {
    const empty = this.#conversation.exchanges.length === 0;
    document.body.dataset["view"] = empty ? "welcome" : "conversation";
    button("new").hidden = empty;
    button("previous").hidden = !this.#conversation.hasPrevious;
  }
}
