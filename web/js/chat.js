/**
 * Leads a conversation: asks, passes the answer on as it comes, and brings each exchange
 * to exactly one end. Knows nothing of how things look or where they are kept.
 */

import { Announcer } from "./announcer.js";
import { ExchangeView } from "./answer.js";
import { ChatError } from "./failure.js";
import { createWriter } from "./sanitize.js";
import { Sentences } from "./sentences.js";
import { newConversation, stopAnswer, streamAnswer } from "./stream.js";

/** A defect of the page itself. @type {Failure} */
const UNEXPECTED = { code: "internal", retryable: true };

/** @typedef {{exchange: Exchange, controller: AbortController, stopping: boolean}} Running */

export class Chat {
  #page;
  #announcer;
  #tools;
  /** @type {Map<Exchange, ExchangeView>} */
  #views = new Map();
  /** @type {Running | undefined} */
  #running;

  /** @param {ChatSurroundings} page */
  constructor(page) {
    this.#page = page;
    this.#announcer = new Announcer(page.announcements);
    this.#tools = {
      translator: page.translator,
      announcer: this.#announcer,
      write: createWriter(),
      retry: (/** @type {Exchange} */ exchange) => this.#retry(exchange),
    };
  }

  /** Show the conversation as it is kept, and go on with what was being answered. */
  show() {
    this.#views.clear();
    this.#page.transcript.replaceChildren();
    for (const exchange of this.#page.conversation.exchanges) {
      const view = this.#add(exchange);
      if (exchange.state === "pending") this.#run(exchange, view);
    }
  }

  /** @param {string} question */
  ask(question) {
    const { conversation, translator } = this.#page;
    const exchange = conversation.begin(question, translator.language);
    return this.#run(exchange, this.#add(exchange));
  }

  /** Stop the answer, here and at the server: as soon as it has told by which name. */
  stop() {
    if (!this.#running) return;
    this.#running.stopping = true;
    halt(this.#running);
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

  /**
   * @param {Exchange} exchange
   * @param {ExchangeView} view
   */
  async #run(exchange, view) {
    const running = { exchange, controller: new AbortController(), stopping: false };
    this.#running = running;
    this.#page.onBusy(true);
    this.#announcer.say(this.#page.translator.text("answer.waiting"));
    try {
      await this.#receive(running, view);
    } catch (error) {
      this.#end(exchange, error, running.controller.signal);
    } finally {
      this.#page.conversation.save();
      view.settle();
      if (this.#running === running) {
        this.#running = undefined;
        this.#page.onBusy(false);
      }
    }
  }

  /**
   * @param {Running} running
   * @param {ExchangeView} view
   */
  async #receive(running, view) {
    const { exchange, controller } = running;
    const request = await this.#request(exchange);
    const sentences = new Sentences();
    for await (const event of streamAnswer(request, controller.signal, this.#page.onFailure)) {
      exchange.eventId = event.id;
      if (event.type === "start") this.#started(running, event.start);
      else if (event.type === "done") this.#done(exchange, event.report);
      else {
        exchange.answer += event.text;
        view.append(event.text);
        this.#announcer.say(sentences.push(event.text));
      }
    }
    this.#announcer.say(sentences.flush());
  }

  /**
   * @param {Exchange} exchange
   * @returns {Promise<AnswerRequest>}
   */
  async #request({ question, language, parent, again, key, streamId, eventId }) {
    const { conversation } = this.#page;
    const place = { streamId, eventId };
    if (again) return { path: again, body: { language }, key, place };
    if (!conversation.id) conversation.id = await newConversation();
    const path = `api/conversations/${conversation.id}/messages`;
    const body = { message: question, language, ...(parent && { parent_id: parent }) };
    return { path, body, key, place };
  }

  /**
   * @param {Running} running
   * @param {AnswerStart} start
   */
  #started(running, { model, stream_id }) {
    Object.assign(running.exchange, { streamId: stream_id, model });
    this.#page.conversation.save();
    this.#page.onModel(model);
    if (running.stopping) halt(running);
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
    const { translator, onFailure } = this.#page;
    if (signal.aborted) {
      exchange.state = "stopped";
      this.#announcer.say(translator.text("answer.stopped"));
      return;
    }
    if (!(error instanceof ChatError)) reportError(error);
    const failure = error instanceof ChatError ? error.failure : UNEXPECTED;
    exchange.state = "failed";
    exchange.failure = failure;
    exchange.ended = error instanceof ChatError && error.isEnd;
    this.#announcer.say(translator.text(`failure.${failure.code}`));
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
