/**
 * Server-sent events out of text as it arrives (HTML standard, section 9.2.6).
 * Knows nothing of the network, nor of what an event means.
 */

export class SseParser {
  #rest = "";
  #type = "";
  #id = "";
  /** @type {string[]} */
  #data = [];

  /**
   * Take the next piece of text, cut anywhere, and give the events it completes.
   * @param {string} text
   * @returns {SseEvent[]}
   */
  push(text) {
    // A carriage return at the very end may be the first half of a CRLF.
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => (line === "" ? this.#dispatch() : this.#field(line)));
  }

  /**
   * @param {string} line
   * @returns {SseEvent[]} always empty: only a blank line completes an event
   */
  #field(line) {
    const [, name = line, value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === "event") this.#type = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id") this.#id = value;
    return [];
  }

  /** @returns {SseEvent[]} */
  #dispatch() {
    const event = { type: this.#type || "message", data: this.#data.join("\n"), id: this.#id };
    const complete = this.#data.length > 0;
    this.#type = "";
    this.#data = [];
    return complete ? [event] : [];
  }
}
