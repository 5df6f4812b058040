/**
 * One question to the service and its answer as a stream of events, as the contract has them.
 * The address is relative to the page. Knows nothing of what is shown or kept.
 */

import { localError, refusalError, streamError } from "./failure.js";
import { SseParser } from "./sse.js";

/** The server pings every 15 s of silence; three missed pings are a dead line. */
const SILENCE_LIMIT_MS = 50_000;

/**
 * Ask, and give the answer's events up to `done`. Anything else throws a ChatError,
 * or the signal's reason where the reader stopped it.
 * @param {ChatRequest} question
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<AnswerEvent, void>}
 */
export async function* streamAnswer(question, signal) {
  const response = await post(question, signal);
  for await (const { type, data } of events(response, signal)) {
    if (type === "error") throw streamError(data, response);
    if (type === "start") yield { type, model: String(data.model ?? "") };
    if (type === "token") yield { type, text: String(data.text ?? "") };
    if (type === "done") {
      yield { type, report: /** @type {AnswerReport} */ (/** @type {unknown} */ (data)) };
      return;
    }
  }
  throw localError("connection_lost");
}

/**
 * @param {ChatRequest} question
 * @param {AbortSignal} signal
 */
async function post(question, signal) {
  const response = await fetch("api/chat", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify({ ...question, stream: true }),
    signal,
  }).catch(() => {
    throw signal.aborted ? signal.reason : localError("offline");
  });
  if (!response.ok) throw await refusalError(response);
  return response;
}

/**
 * @param {Response} response
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<{type: string, data: Record<string, unknown>}, void>}
 */
async function* events(response, signal) {
  const parser = new SseParser();
  for await (const text of pieces(response, signal)) {
    for (const { type, data } of parser.push(text)) yield { type, data: parse(data) };
  }
}

/**
 * @param {string} data
 * @returns {Record<string, unknown>}
 */
function parse(data) {
  try {
    return Object(JSON.parse(data));
  } catch {
    throw localError("connection_lost");
  }
}

/**
 * The body as text. Its end, a broken connection and a long silence look the same from here.
 * @param {Response} response
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<string, void>}
 */
async function* pieces(response, signal) {
  const reader = response.body?.getReader();
  if (!reader) throw localError("connection_lost");
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await withinSilenceLimit(reader.read());
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } catch {
    throw signal.aborted ? signal.reason : localError("connection_lost");
  } finally {
    reader.cancel().catch(() => {});
  }
}

/**
 * @template T
 * @param {Promise<T>} reading
 * @returns {Promise<T>}
 */
function withinSilenceLimit(reading) {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => reject(localError("connection_lost")), SILENCE_LIMIT_MS);
  });
  return Promise.race([reading, /** @type {Promise<never>} */ (silence)]).finally(() =>
    clearTimeout(timer),
  );
}
