/**
 * Leads a conversation: asks, passes the answer on as it comes, and brings each exchange
 * to exactly one end. Knows nothing of how things look or where they are kept.
 */

import { announcer } from "./announcer.js";
import { ExchangeView } from "./answer.js";
import { Refusal } from "./failure.js";
import { exchangesOf } from "./kept.js";
import { Sentences } from "./sentences.js";
import {
  keptConversation,
  newConversation,
  rememberBranch,
  stopAnswer,
  streamAnswer,
} from "./stream.js";
import { wanted } from "./wanted.js";
import { translator } from "./words.js";

/** A defect of the page itself. @type {Failure} */
const UNEXPECTED = { code: "internal", retryable: true };

/** @typedef {{exchange: Exchange, controller: AbortController, stopping: boolean, left: boolean}} Running */

export class Chat {
  #page;
  #tools;
  /** @type {Map<Exchange, ExchangeView>} */
  #views = new Map();
  /** @type {Running | undefined} */
  #running;
  /** @type {AbortController | undefined} */
  #opening;

  /** @param {ChatSurroundings} page */
  constructor(page) {
    this.#page = page;
    this.#tools = {
      retry: (/** @type {Exchange} */ exchange) => this.#retry(exchange),
      rated: (/** @type {Exchange} */ exchange, /** @type {Feedback | null} */ given) => {
        exchange.feedback = given;
        page.conversation.save();
      },
      regenerate: (/** @type {Exchange} */ exchange) => this.#regenerate(exchange),
      edit: (/** @type {Exchange} */ exchange, /** @type {string} */ question) =>
        this.#edit(exchange, question),
      choose: (/** @type {Exchange} */ exchange, /** @type {Exchange} */ version) =>
        this.#choose(exchange, version),
      versions: (/** @type {Exchange} */ exchange) => page.conversation.versions(exchange),
    };
  }

  /** Show the conversation that is open: first as this tab has it, then as the server has it. */
  async open() {
    const { conversation } = this.#page;
    const { id } = conversation;
    this.show();
    if (!id || this.#running) return;
    this.#opening?.abort();
    this.#opening = new AbortController();
    const { signal } = this.#opening;
    this.#wait(conversation.exchanges.length === 0);
    try {
      const kept = exchangesOf(await keptConversation(id, signal), translator.language);
      if (signal.aborted || this.#running || !conversation.differs(kept)) return;
      conversation.become(id, kept);
      this.show();
    } catch (error) {
      if (!signal.aborted && conversation.exchanges.length === 0) this.#missing(error);
    } finally {
      if (!signal.aborted) this.#wait(false);
    }
  }

  /** @param {boolean} busy */
  #wait(busy) {
    this.#page.transcript.setAttribute("aria-busy", String(busy));
  }

  /** @param {unknown} error why there is nothing to show */
  #missing(error) {
    const { transcript } = this.#page;
    const said = document.createElement("p");
    said.className = "missing";
    said.setAttribute("role", "alert");
    const { code } = error instanceof Refusal ? error.failure : UNEXPECTED;
    translator.set(said, `failure.${code}`);
    transcript.replaceChildren(said);
  }

  /** Show the conversation as it is kept here, and go on with what was being answered. */
  show() {
    this.leave();
    this.#views.clear();
    this.#page.transcript.replaceChildren();
    this.#draw();
    const last = this.#page.conversation.exchanges.at(-1);
    const view = last && this.#views.get(last);
    if (last?.state === "pending" && view) this.#run(last, view);
  }

  /** Read no further: the server writes on, and keeps it. */
  leave() {
    this.#opening?.abort();
    if (!this.#running) return;
    this.#running.left = true;
    this.#running.controller.abort();
    this.#running = undefined;
    this.#page.onBusy(false);
  }

  /** @param {string} question */
  ask(question) {
    const { conversation } = this.#page;
    const exchange = conversation.begin(question, wanted().language ?? translator.language);
    return this.#run(exchange, this.#add(exchange));
  }

  /** Stop the answer, here and at the server: as soon as it has told by which name. */
  stop() {
    if (!this.#running) return;
    this.#running.stopping = true;
    halt(this.#running);
  }

  /** Show what is shown of the conversation; views that stay are not drawn again. */
  #draw() {
    const { conversation, transcript } = this.#page;
    const { exchanges } = conversation;
    for (const [exchange, view] of this.#views) {
      if (exchanges.includes(exchange)) continue;
      view.element.remove();
      this.#views.delete(exchange);
    }
    for (const exchange of exchanges) {
      const view = this.#views.get(exchange);
      if (view) transcript.append(view.element);
      else this.#add(exchange);
    }
  }

  /** @param {Exchange} exchange */
  #add(exchange) {
    const view = new ExchangeView(exchange, this.#tools);
    this.#views.set(exchange, view);
    this.#page.transcript.append(view.element);
    return view;
  }

  /** @param {Exchange} exchange */
  #retry(exchange) {
    const view = this.#views.get(exchange);
    if (!view || this.#running) return;
    this.#page.conversation.restart(exchange);
    view.show();
    this.#run(exchange, view);
  }

  /** @param {Exchange} exchange */
  #regenerate(exchange) {
    if (this.#running) return;
    const { conversation } = this.#page;
    this.#insteadOf(conversation.regenerate(exchange));
  }

  /**
   * @param {Exchange} exchange
   * @param {string} question
   */
  #edit(exchange, question) {
    if (this.#running) return;
    const { conversation } = this.#page;
    this.#insteadOf(conversation.edit(exchange, question, wanted().language ?? translator.language));
  }

  /** @param {Exchange} exchange that takes the place of another */
  #insteadOf(exchange) {
    this.#draw();
    const view = this.#views.get(exchange);
    if (view) this.#run(exchange, view);
  }

  /**
   * @param {Exchange} exchange
   * @param {Exchange} version
   */
  #choose(exchange, version) {
    if (this.#running) return;
    const { conversation } = this.#page;
    const leaf = conversation.choose(exchange, version);
    this.#draw();
    this.#views.get(version)?.focusVersions();
    if (version.state === "pending") return this.show();
    rememberBranch(conversation.id, leaf);
  }

  /**
   * @param {Exchange} exchange
   * @param {ExchangeView} view
   */
  async #run(exchange, view) {
    const running = { exchange, controller: new AbortController(), stopping: false, left: false };
    this.#running = running;
    this.#page.onBusy(true);
    announcer.say(translator.text("answer.waiting"));
    try {
      await this.#receive(running, view);
    } catch (error) {
      if (!running.left) this.#end(exchange, error, running.controller.signal);
    }
    if (running.left) return;
    this.#page.conversation.save();
    view.settle();
    this.#running = undefined;
    this.#page.onBusy(false);
  }

  /**
   * @param {Running} running
   * @param {ExchangeView} view
   */
  async #receive(running, view) {
    const { exchange, controller } = running;
    const request = await this.#request(exchange, controller.signal);
    const sentences = new Sentences();
    for await (const event of streamAnswer(request, controller.signal, this.#page.onFailure)) {
      exchange.eventId = event.id;
      if (event.type === "start") this.#started(running, event.start);
      else if (event.type === "state") this.#told(view, event.state);
      else if (event.type === "done") this.#done(exchange, event.report);
      else {
        exchange.answer += event.text;
        view.append(event.text);
        announcer.say(sentences.push(event.text));
      }
    }
    announcer.say(sentences.flush());
  }

  /**
   * @param {Exchange} exchange
   * @param {AbortSignal} signal
   * @returns {Promise<AnswerRequest>}
   */
  async #request({ question, language, parent, again, key, streamId, eventId }, signal) {
    const { conversation, onAsked } = this.#page;
    const place = { streamId, eventId };
    if (again) {
      const said = again.endsWith("/edit") ? { message: question } : {};
      return { path: again, body: { ...said, ...wanted(), language }, key, place };
    }
    if (!conversation.id) {
      const id = await newConversation();
      signal.throwIfAborted();
      conversation.id = id;
      onAsked();
    }
    const path = `api/conversations/${conversation.id}/messages`;
    const more = { ...wanted(), language, ...(parent && { parent_id: parent }) };
    const body = { message: question, ...more };
    return { path, body, key, place };
  }

  /**
   * @param {Running} running
   * @param {AnswerStart} start
   */
  #started(running, { model, stream_id, question_id = "" }) {
    Object.assign(running.exchange, { streamId: stream_id, questionId: question_id, model });
    this.#page.conversation.save();
    this.#page.onModel(model);
    this.#page.onAsked();
    if (running.stopping) halt(running);
  }

  /**
   * @param {ExchangeView} view
   * @param {AnswerState} state
   */
  #told(view, { queue = 0 }) {
    view.wait(queue);
    if (queue) announcer.say(translator.text("answer.queue", { count: queue }));
  }

  /**
   * @param {Exchange} exchange
   * @param {AnswerReport} report
   */
  #done(exchange, report) {
    const { response, ...rest } = report;
    exchange.state = report.finish_reason === "stopped" ? "stopped" : "done";
    exchange.ended = true;
    exchange.answer ||= response;
    exchange.model = report.model || exchange.model;
    exchange.truncated = Boolean(report.truncated);
    exchange.report = rest;
  }

  /**
   * @param {Exchange} exchange
   * @param {unknown} error
   * @param {AbortSignal} signal
   */
  #end(exchange, error, signal) {
    const { onFailure } = this.#page;
    if (signal.aborted) {
      exchange.state = "stopped";
      announcer.say(translator.text("answer.stopped"));
      return;
    }
    if (!(error instanceof Refusal)) reportError(error);
    const failure = error instanceof Refusal ? error.failure : UNEXPECTED;
    exchange.state = "failed";
    exchange.failure = failure;
    exchange.ended = error instanceof Refusal && error.isEnd;
    announcer.say(translator.text(`failure.${failure.code}`));
    onFailure();
  }
}

/**
 * An answer without a name yet is halted as soon as it has one.
 * @param {Running} running
 */
function halt({ exchange: { streamId }, controller }) {
  if (!streamId) return;
  stopAnswer(streamId);
  controller.abort();
}
