/**
 * The conversation of this tab as far as it has been seen: the server keeps it, this keeps
 * its id and a copy across reloads, together with the one before. Knows nothing of the
 * network or of how an exchange is shown.
 */

export const MAX_MESSAGE_CHARACTERS = 8000;
const KEY_BYTES = 16;

/** @typedef {{id: string, exchanges: Exchange[]}} Kept */

export class Conversation {
  #store;
  /** @type {Kept} */
  #now;
  /** @type {Kept} */
  #previous;

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.#store = store;
    this.#now = restored(store.read("now"));
    this.#previous = restored(store.read("before"));
  }

  /** @returns {readonly Exchange[]} */
  get exchanges() {
    return this.#now.exchanges;
  }

  /** By which the server knows it; empty until something was asked. */
  get id() {
    return this.#now.id;
  }

  set id(/** @type {string} */ id) {
    this.#now.id = id;
    this.save();
  }

  get hasPrevious() {
    return this.#previous.exchanges.length > 0;
  }

  /**
   * @param {string} question
   * @param {Language} language
   */
  begin(question, language) {
    const parent = this.#now.exchanges.findLast(({ streamId }) => streamId)?.streamId ?? "";
    /** @type {Exchange} */
    const exchange = { question, language, parent, again: "", key: newKey(), ...unanswered() };
    this.#now.exchanges.push(exchange);
    this.save();
    return exchange;
  }

  /**
   * Try again: what was read stays, unless the server has brought it to an end.
   * @param {Exchange} exchange
   */
  restart(exchange) {
    delete exchange.failure;
    delete exchange.report;
    if (exchange.ended) {
      Object.assign(exchange, { again: againPath(exchange), key: newKey() }, unanswered());
    }
    exchange.state = "pending";
    this.save();
  }

  /** Begin anew; the conversation so far can be brought back once. */
  clear() {
    this.#previous = this.#now;
    this.#now = { id: "", exchanges: [] };
    this.save();
  }

  bringBack() {
    this.#now = this.#previous;
    this.#previous = { id: "", exchanges: [] };
    this.save();
  }

  save() {
    this.#store.write("now", this.#now);
    this.#store.write("before", this.#previous);
  }
}

/** @returns {Omit<Exchange, "question" | "language" | "parent" | "again" | "key">} */
function unanswered() {
  const answer = { answer: "", model: "", truncated: false, ended: false };
  return { ...answer, state: "pending", streamId: "", eventId: "" };
}

/**
 * What there is of an answer is gone on with; an answer that never began is written anew.
 * @param {Exchange} exchange
 */
function againPath({ streamId, answer }) {
  return `api/messages/${streamId}/${answer ? "continue" : "regenerate"}`;
}

/** Works on plain HTTP too, where `crypto.randomUUID` does not. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {any} kept
 * @returns {Kept}
 */
function restored(kept) {
  const { id, exchanges } = Object(kept);
  return { id: String(id ?? ""), exchanges: Array.isArray(exchanges) ? exchanges : [] };
}
