/**
 * A browser storage area that never throws: where it is full, blocked or holds
 * something else, the page forgets on reload and works all the same.
 * Knows nothing of what is kept.
 */

const PREFIX = "tiza.";

export class Store {
  /** @type {Storage | undefined} */
  #area;

  /** @param {() => Storage} open reading the property itself may be forbidden */
  constructor(open) {
    try {
      this.#area = open();
    } catch {
      this.#area = undefined;
    }
  }

  /**
   * @param {string} name
   * @returns {unknown} what was kept, or null
   */
  read(name) {
    try {
      return JSON.parse(this.#area?.getItem(PREFIX + name) ?? "null");
    } catch {
      return null;
    }
  }

  /**
   * @param {string} name
   * @param {unknown} value
   */
  write(name, value) {
    try {
      this.#area?.setItem(PREFIX + name, JSON.stringify(value));
    } catch {
      this.#area?.removeItem(PREFIX + name);
    }
  }
}
