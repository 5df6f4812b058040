/**
 * What was begun and not sent, for each conversation. Knows nothing of where it is written.
 */

/** Who has begun more questions than this loses the oldest. */
const MOST = 50;

export class Drafts {
  #store;

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.#store = store;
  }

  /**
   * @param {string} conversation its id; empty: a new one
   * @returns {string}
   */
  read(conversation) {
    const kept = this.#all().find(([id]) => id === conversation);
    return kept?.[1] ?? "";
  }

  /**
   * @param {string} conversation
   * @param {string} text
   */
  write(conversation, text) {
    const others = this.#all().filter(([id]) => id !== conversation);
    if (text) others.push([conversation, text]);
    this.#store.write("drafts", others.slice(-MOST));
  }

  /** @returns {[string, string][]} the last written at the end */
  #all() {
    const kept = this.#store.read("drafts");
    return Array.isArray(kept) ? kept : [];
  }
}
