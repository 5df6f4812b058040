/**
 * The chat's place on the page: the composer, the first questions, and the conversation
 * that is open. The larger half of the page, which reads and shows answers, is fetched when
 * it is first needed. Knows nothing of answers itself.
 */

import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { find } from "./dom.js";
import { Drafts } from "./drafts.js";
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
    const { store } = surroundings;
    this.#surroundings = surroundings;
    this.#conversation = new Conversation(store);
    this.#follower = new Follower(element("scroller"), element("transcript"), button("newest"));
    const form = find(document, "#composer", HTMLFormElement);
    this.#composer = new Composer(form, new Drafts(store), {
      send: (question) => this.#ask(question),
      stop: () => this.#fetched?.then((chat) => chat.stop(), () => {}),
    });
  }

  open() {
    const conversation = this.#conversation;
    button("new").addEventListener("click", () => this.#beginAnew());
    find(document, "a[data-place=chat]", HTMLElement).addEventListener("click", () => {
      if (location.hash === "#/") this.#beginAnew();
    });
    element("suggestions").addEventListener("click", ({ target }) => {
      if (target instanceof HTMLButtonElement && !this.#composer.busy) this.#ask(target.innerText);
    });
    for (const sign of ["input", "pointerdown"]) {
      element("main").addEventListener(sign, () => this.#chat().catch(() => {}), { once: true });
    }
    window.addEventListener("pagehide", () => conversation.save());
    document.addEventListener("visibilitychange", () => conversation.save());
  }

  /**
   * Show a conversation.
   * @param {string} id empty: a new one
   */
  async show(id) {
    const conversation = this.#conversation;
    if (id !== conversation.id) {
      await this.#leave();
      conversation.become(id, []);
    }
    this.#composer.turnTo(id);
    this.#arrange();
    this.#composer.focus();
    if (!id && !this.#fetched && conversation.exchanges.length === 0) return;
    const chat = await this.#chat().catch(() => undefined);
    if (!chat) return this.#surroundings.onFailure();
    await chat.open();
    this.#arrange();
    this.#follower.toEnd();
  }

  async #leave() {
    (await this.#fetched?.catch(() => undefined))?.leave();
  }

  async #beginAnew() {
    if (location.hash !== "#/" && this.#conversation.id) location.hash = "#/";
    else {
      await this.#leave();
      this.#conversation.become("", []);
      await this.show("");
    }
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
        onBusy: (busy) => this.#busy(busy),
        onAsked: () => this.#asked(),
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

  /** The conversation has an address from its first question on. */
  #asked() {
    const { id } = this.#conversation;
    if (id && location.hash !== `#/c/${id}`) {
      history.replaceState(null, "", `#/c/${id}`);
      document.dispatchEvent(new Event("address"));
      this.#composer.belongsTo(id);
    }
    this.#surroundings.onAsked(id);
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

  #arrange() {
    const { id, exchanges } = this.#conversation;
    const empty = !id && exchanges.length === 0;
    document.body.dataset["view"] = empty ? "welcome" : "conversation";
    button("new").hidden = empty;
  }
}
