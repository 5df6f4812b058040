/**
 * Leads a conversation: asks, passes the answer on as it comes, and brings each exchange
 * to exactly one end. Knows nothing of how things look or where they are kept.
 */

import { Announcer } from "./announcer.js";
import { ExchangeView } from "./answer.js";
import { ChatError } from "./failure.js";
import { createWriter } from "./sanitize.js";
import { Sentences } from "./sentences.js";
import { streamAnswer } from "./stream.js";

/** A defect of the page itself. @type {Failure} */
const UNEXPECTED = { code: "internal", retryable: true };

export class Chat {
  #page;
  #announcer;
  #tools;
  /** @type {Map<Exchange, ExchangeView>} */
  #views = new Map();
  /** @type {AbortController | undefined} */
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

  /** Show the conversation as it is kept. */
  show() {
    this.#views.clear();
    this.#page.transcript.replaceChildren();
    for (const exchange of this.#page.conversation.exchanges) this.#add(exchange);
  }

  /** @param {string} question */
  ask(question) {
    const { conversation, translator } = this.#page;
    const exchange = conversation.begin(question, translator.language);
    return this.#run(exchange, this.#add(exchange));
  }

  stop() {
    this.#running?.abort();
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
    const running = new AbortController();
    this.#running = running;
    this.#page.onBusy(true);
    this.#announcer.say(this.#page.translator.text("answer.waiting"));
    try {
      await this.#receive(exchange, view, running.signal);
    } catch (error) {
      this.#end(exchange, error, running.signal);
    } finally {
      this.#running = undefined;
      this.#page.onBusy(false);
      this.#page.conversation.save();
      view.settle();
    }
  }

  /**
   * @param {Exchange} exchange
   * @param {ExchangeView} view
   * @param {AbortSignal} signal
   */
  async #receive(exchange, view, signal) {
    const { turns, complete } = this.#page.conversation.historyBefore(exchange);
    const { question, language } = exchange;
    const request = { message: question, conversation_history: turns, language };
    const sentences = new Sentences();
    for await (const event of streamAnswer(request, signal)) {
      if (event.type === "start") this.#started(exchange, event.model);
      else if (event.type === "done") this.#done(exchange, event.report, complete);
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
   * @param {string} model
   */
  #started(exchange, model) {
    exchange.model = model;
    this.#page.onModel(model);
  }

  /**
   * @param {Exchange} exchange
   * @param {AnswerReport} report
   * @param {boolean} complete
   */
  #done(exchange, report, complete) {
    const { response, ...rest } = report;
    exchange.state = "done";
    exchange.answer ||= response;
    exchange.model = report.model || exchange.model;
    exchange.truncated = Boolean(report.truncated) || !complete;
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
    this.#announcer.say(translator.text(`failure.${failure.code}`));
    onFailure();
  }
}
