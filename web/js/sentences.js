/**
 * Streamed text in portions fit to be read aloud: whole sentences without their marks.
 * Knows nothing of who reads them.
 */

/** The last sentence that ended: closing marks and a space, or the end of a line. */
const WHOLE_SENTENCES = /^.*(?:[.!?…:;]["'»”’)*_`]*\s|\n)/s;

export class Sentences {
  #rest = "";

  /**
   * @param {string} text
   * @returns {string} the sentences it completes, or nothing
   */
  push(text) {
    this.#rest += text;
    const [whole = ""] = WHOLE_SENTENCES.exec(this.#rest) ?? [];
    this.#rest = this.#rest.slice(whole.length);
    return spoken(whole);
  }

  /** @returns {string} what is left */
  flush() {
    const rest = this.#rest;
    this.#rest = "";
    return spoken(rest);
  }
}

/** @param {string} markdown */
function spoken(markdown) {
  return markdown
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/^[ \t]*(?:#{1,6}|>|[-*+]|```.*|~~~.*)[ \t]*/gm, "")
    .replace(/\*\*?|`|~~/g, "")
    .trim();
}
