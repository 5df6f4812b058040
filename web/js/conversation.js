/**
 * The conversation of this tab: what was asked, what came back, and what of it
 * goes along with the next question. Kept across reloads, together with the one before.
 * Knows nothing of the network or of how an exchange is shown.
 */

export const MAX_MESSAGE_CHARACTERS = 8000;
const MAX_TURNS = 100;
const MAX_HISTORY_CHARACTERS = 32_000;

/** @type {Failure} */
const INTERRUPTED = { code: "connection_lost", retryable: true };

export class Conversation {
  #store;
  /** @type {Exchange[]} */
  #exchanges;
  /** @type {Exchange[]} */
  #previous;

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.#store = store;
    this.#exchanges = restored(store.read("conversation"));
    this.#previous = restored(store.read("previous"));
  }

  /** @returns {readonly Exchange[]} */
  get exchanges() {
    return this.#exchanges;
  }

  get hasPrevious() {
    return this.#previous.length > 0;
  }

  /**
   * @param {string} question
   * @param {Language} language
   */
  begin(question, language) {
    /** @type {Exchange} */
    const exchange = { question, language, ...unanswered() };
    this.#exchanges.push(exchange);
    this.save();
    return exchange;
  }

  /** @param {Exchange} exchange */
  restart(exchange) {
    delete exchange.failure;
    delete exchange.report;
    Object.assign(exchange, unanswered());
    this.save();
  }

  /** Begin anew; the conversation so far can be brought back once. */
  clear() {
    this.#previous = this.#exchanges;
    this.#exchanges = [];
    this.save();
  }

  bringBack() {
    this.#exchanges = this.#previous;
    this.#previous = [];
    this.save();
  }

  /**
   * The turns before an exchange, for the request.
   * @param {Exchange} exchange
   */
  historyBefore(exchange) {
    return newestTurns(this.#exchanges.slice(0, this.#exchanges.indexOf(exchange)));
  }

  save() {
    this.#store.write("conversation", this.#exchanges);
    this.#store.write("previous", this.#previous);
  }
}

/**
 * The newest answered exchanges that fit the contract's limits, whole, oldest first.
 * @param {readonly Exchange[]} exchanges
 * @returns {{turns: Turn[], complete: boolean}}
 */
export function newestTurns(exchanges) {
  const answered = exchanges.filter((exchange) => exchange.answer.trim());
  /** @type {Turn[]} */
  let turns = [];
  let room = MAX_HISTORY_CHARACTERS;
  for (const { question, answer } of answered.reverse()) {
    room -= question.length + answer.length;
    if (room < 0 || turns.length + 2 > MAX_TURNS) return { turns, complete: false };
    turns = [{ role: "user", content: question }, { role: "assistant", content: answer }, ...turns];
  }
  return { turns, complete: true };
}

/** @returns {Pick<Exchange, "answer" | "state" | "model" | "truncated">} */
function unanswered() {
  return { answer: "", state: "pending", model: "", truncated: false };
}

/**
 * An answer that was on its way when the page went is lost, and says so.
 * @param {unknown} kept
 * @returns {Exchange[]}
 */
function restored(kept) {
  const exchanges = /** @type {Exchange[]} */ (Array.isArray(kept) ? kept : []);
  return exchanges.map((exchange) =>
    exchange.state === "pending"
      ? { ...exchange, state: "failed", failure: INTERRUPTED }
      : exchange,
  );
}
