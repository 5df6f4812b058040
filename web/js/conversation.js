/**
 * The conversation that is open, as far as it has been seen: every version of every
 * exchange, and which of them are shown. The server keeps it; this keeps a copy across
 * reloads. Knows nothing of the network or of how an exchange is shown.
 */

export const MAX_MESSAGE_CHARACTERS = 8000;
const KEY_BYTES = 16;

export class Conversation {
  #store;
  #id;
  /** In the order in which they came. @type {Exchange[]} */
  #all;

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.#store = store;
    const { id, all } = Object(store.read("now"));
    this.#id = String(id ?? "");
    this.#all = Array.isArray(all) ? all : [];
  }

  /** The branch that is shown, oldest first. @returns {readonly Exchange[]} */
  get exchanges() {
    return this.#all.filter(({ shown }) => shown);
  }

  /** By which the server knows it; empty until something was asked. */
  get id() {
    return this.#id;
  }

  set id(/** @type {string} */ id) {
    this.#id = id;
    this.save();
  }

  /**
   * Another conversation takes its place.
   * @param {string} id
   * @param {Exchange[]} all
   */
  become(id, all) {
    this.#all = all;
    this.id = id;
  }

  /**
   * @param {string} question
   * @param {Language} language
   */
  begin(question, language) {
    const parent = this.exchanges.findLast(({ streamId }) => streamId)?.streamId ?? "";
    return this.#add({ question, language, parent, questionId: "", again: "" });
  }

  /**
   * Another answer to the same question.
   * @param {Exchange} exchange
   */
  regenerate({ question, language, parent, questionId, streamId }) {
    const again = `api/messages/${streamId}/regenerate`;
    return this.#add({ question, language, parent, questionId, again });
  }

  /**
   * The same question in other words.
   * @param {Exchange} exchange
   * @param {string} question
   * @param {Language} language
   */
  edit({ parent, questionId }, question, language) {
    const again = questionId && `api/messages/${questionId}/edit`;
    return this.#add({ question, language, parent, questionId: "", again });
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

  /**
   * All that was said at this place, one after the other. What failed without a word is none.
   * @param {Exchange} exchange
   * @returns {Exchange[]}
   */
  versions(exchange) {
    return this.#all.filter(
      (other) =>
        other === exchange ||
        (other.parent === exchange.parent && !other.shown && other.streamId && !isVoid(other)),
    );
  }

  /**
   * Show another version, and what was said after it last.
   * @param {Exchange} exchange that is shown
   * @param {Exchange} version of it
   * @returns {string} the last message that is shown now
   */
  choose(exchange, version) {
    this.#hideFrom(exchange);
    /** @type {Exchange | undefined} */
    let next = version;
    let end = "";
    while (next) {
      next.shown = true;
      end = endOf(next);
      next = this.#all.findLast(({ parent }) => parent === end);
    }
    this.save();
    return end;
  }

  /**
   * Tell whether the server knows of something that is not known here.
   * @param {Exchange[]} kept
   */
  differs(kept) {
    const sign = (/** @type {Exchange[]} */ all) =>
      all
        .filter(({ streamId, questionId }) => streamId || questionId)
        .map((each) => [endOf(each), each.shown, each.state, each.answer.length].join())
        .join();
    return sign(kept) !== sign(this.#all);
  }

  save() {
    this.#store.write("now", { id: this.#id, all: this.#all });
  }

  /**
   * What is asked at the place of another hides that, and all after it.
   * @param {Pick<Exchange, "question" | "language" | "parent" | "questionId" | "again">} asked
   */
  #add(asked) {
    const rival = asked.again
      ? this.exchanges.find(({ parent }) => parent === asked.parent)
      : undefined;
    if (rival) this.#hideFrom(rival);
    /** @type {Exchange} */
    const exchange = { ...asked, key: newKey(), shown: true, ...unanswered() };
    this.#all.push(exchange);
    this.save();
    return exchange;
  }

  /** @param {Exchange} exchange */
  #hideFrom(exchange) {
    const shown = this.exchanges;
    for (const each of shown.slice(shown.indexOf(exchange))) each.shown = false;
  }
}

/**
 * What is asked next comes after this message.
 * @param {Exchange} exchange
 */
function endOf({ streamId, questionId }) {
  return streamId || questionId || "none";
}

/** @param {Exchange} exchange */
function isVoid({ state, answer }) {
  return state === "failed" && !answer;
}

/** @returns {Pick<Exchange, "answer" | "model" | "truncated" | "ended" | "state" | "streamId" | "eventId">} */
export function unanswered() {
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
