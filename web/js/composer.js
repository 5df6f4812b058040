/**
 * Where a question is written: grows with the text, keeps a draft for each conversation,
 * counts near the limit, and sends; or stops what is being answered. Knows nothing of answers.
 */

import { MAX_MESSAGE_CHARACTERS } from "./conversation.js";
import { find } from "./dom.js";
import { translator } from "./words.js";

/** From here on the counter is shown. */
const NEAR_LIMIT = MAX_MESSAGE_CHARACTERS - 1000;

export class Composer {
  #form;
  #field;
  #button;
  #count;
  #drafts;
  #conversation = "";
  #busy = false;

  /**
   * @param {HTMLFormElement} form
   * @param {import("./drafts.js").Drafts} drafts
   * @param {Wishes} wishes
   */
  constructor(form, drafts, wishes) {
    this.#form = form;
    this.#field = find(form, "textarea", HTMLTextAreaElement);
    this.#button = find(form, ".send", HTMLButtonElement);
    this.#count = find(form, "#count", HTMLElement);
    this.#drafts = drafts;
    this.#listen(wishes);
    this.#write(drafts.read(""));
  }

  /**
   * Go on with what was begun for this conversation.
   * @param {string} conversation its id; empty: a new one
   */
  turnTo(conversation) {
    this.#conversation = conversation;
    this.#write(this.#drafts.read(conversation));
  }

  /**
   * What is being written belongs to this conversation, which has only now been made.
   * @param {string} conversation
   */
  belongsTo(conversation) {
    this.#drafts.write(this.#conversation, "");
    this.#conversation = conversation;
    this.#drafts.write(conversation, this.#field.value);
  }

  get busy() {
    return this.#busy;
  }

  /** While an answer is on its way the button stops it. */
  set busy(/** @type {boolean} */ busy) {
    this.#busy = busy;
    this.#form.toggleAttribute("data-busy", busy);
    translator.name(this.#button, busy ? "composer.stop" : "composer.send");
    this.#refresh();
  }

  /** Put the cursor here, unless that would open a keyboard over the page. */
  focus() {
    if (matchMedia("(pointer: fine)").matches) this.#field.focus();
  }

  /**
   * A question that could not be sent, unless another is being written.
   * @param {string} question
   */
  giveBack(question) {
    if (this.#field.value === "") this.#write(question);
  }

  /** @param {Wishes} wishes */
  #listen({ send, stop }) {
    this.#field.addEventListener("input", () => this.#write(this.#field.value));
    this.#field.addEventListener("keydown", (event) => {
      if (!isSendKey(event)) return;
      event.preventDefault();
      if (!this.#busy) this.#send(send);
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#busy) stop();
      else this.#send(send);
    });
    new ResizeObserver(() => this.#grow()).observe(this.#form);
  }

  /** @param {Wishes["send"]} send */
  #send(send) {
    if (!this.#sendable()) return this.#field.focus();
    const question = this.#field.value.trim();
    this.#write("");
    send(question);
  }

  /** @param {string} text */
  #write(text) {
    if (this.#field.value !== text) this.#field.value = text;
    this.#drafts.write(this.#conversation, text);
    this.#grow();
    this.#refresh();
  }

  #grow() {
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight}px`;
  }

  #refresh() {
    const length = lengthOf(this.#field.value);
    const over = length - MAX_MESSAGE_CHARACTERS;
    this.#button.setAttribute("aria-disabled", String(!this.#busy && !this.#sendable()));
    this.#field.setAttribute("aria-invalid", String(over > 0));
    this.#form.toggleAttribute("data-near", length > NEAR_LIMIT);
    if (length <= NEAR_LIMIT) this.#count.textContent = "";
    else if (over <= 0) translator.set(this.#count, "composer.left", { count: -over });
    else translator.set(this.#count, "composer.over", { count: over });
  }

  #sendable() {
    const { value } = this.#field;
    return value.trim() !== "" && lengthOf(value) <= MAX_MESSAGE_CHARACTERS;
  }
}

/**
 * Characters as the server counts them: an emoji is one.
 * @param {string} text
 */
function lengthOf(text) {
  return [...text.trim()].length;
}

/**
 * Enter that does not break a line and does not choose a word in an input method.
 * Safari ends composing before it reports the key, which then has the code 229.
 * @param {KeyboardEvent} event
 */
function isSendKey({ key, shiftKey, isComposing, keyCode }) {
  return key === "Enter" && !shiftKey && !isComposing && keyCode !== 229;
}
