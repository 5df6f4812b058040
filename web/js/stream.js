/**
 * An answer as a stream of events, read to its end whatever happens to the line: after a
 * break it goes on from the last event that came. Addresses are relative to the page.
 * Knows nothing of what is shown or kept.
 */

import { Refusal, localRefusal, streamRefusal } from "./failure.js";
import { documentOf, json, send } from "./server.js";
import { SseParser } from "./sse.js";

/** The server pings every 15 s of silence; three missed pings are a dead line. */
const SILENCE_LIMIT_MS = 50_000;

/** How often a broken line is mended without news, and the longest pause before (2 min in all). */
const ATTEMPTS = 18;
const LONGEST_PAUSE_MS = 8000;

/** A line that may be whole again in a moment. @type {FailureCode[]} */
const PASSING = ["offline", "connection_lost", "draining", "engine_unreachable", "overloaded"];

/**
 * Give the answer's events up to `done`. Anything else throws a Refusal, or the signal's
 * reason where the reader stopped it.
 * @param {AnswerRequest} request
 * @param {AbortSignal} signal
 * @param {() => void} onLost the line broke; it is being mended
 * @returns {AsyncGenerator<AnswerEvent, void>}
 */
export async function* streamAnswer({ path, body, key, place }, signal, onLost) {
  let { streamId, eventId } = place;
  let response = streamId ? undefined : await post(path, body, key, signal);
  for (let attempt = 0; ; attempt += 1) {
    try {
      response ??= await resume(streamId, eventId, signal);
      for await (const event of answerEvents(response, signal)) {
        if (event.type === "start") streamId = event.start.stream_id;
        eventId = event.id;
        attempt = 0;
        yield event;
        if (event.type === "done") return;
      }
      throw localRefusal("connection_lost");
    } catch (error) {
      response = undefined;
      if (!streamId || !passes(error) || attempt >= ATTEMPTS) throw error;
      onLost();
      await pause(Math.min(250 * 2 ** attempt, LONGEST_PAUSE_MS), signal);
    }
  }
}

/**
 * Tell the server to write no more.
 * @param {string} streamId
 */
export async function stopAnswer(streamId) {
  await fetch(`api/streams/${streamId}/stop`, { method: "POST", keepalive: true }).catch(() => {});
}

/** @returns {Promise<string>} the id of a conversation that has just been made */
export async function newConversation() {
  const response = await send("api/conversations", { method: "POST", ...json({}) });
  return String((await response.json().catch(() => ({}))).id ?? "");
}

/**
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {Promise<KeptConversation>} with all its branches
 */
export async function keptConversation(id, signal) {
  const response = await send(`api/conversations/${encodeURIComponent(id)}`, { signal });
  return documentOf(response);
}

/**
 * Have the server remember which branch is shown. Where it cannot, it shows another one next time.
 * @param {string} id
 * @param {string} leaf
 */
export async function rememberBranch(id, leaf) {
  const change = { method: "PATCH", ...json({ leaf_id: leaf }) };
  await send(`api/conversations/${id}`, change).catch(() => {});
}

/**
 * @param {unknown} error
 * @returns {boolean}
 */
function passes(error) {
  return error instanceof Refusal && !error.isEnd && PASSING.includes(error.failure.code);
}

/**
 * @param {string} path
 * @param {object} body
 * @param {string} key
 * @param {AbortSignal} signal
 */
function post(path, body, key, signal) {
  const { headers, body: text } = json({ ...body, stream: true });
  return send(path, {
    method: "POST",
    headers: { ...headers, Accept: "text/event-stream", "Idempotency-Key": key },
    body: text,
    signal,
  });
}

/**
 * @param {string} streamId
 * @param {string} eventId
 * @param {AbortSignal} signal
 */
function resume(streamId, eventId, signal) {
  const headers = eventId ? { "Last-Event-ID": eventId } : undefined;
  return send(`api/streams/${streamId}`, { signal, ...(headers && { headers }) });
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 */
async function pause(milliseconds, signal) {
  await new Promise((resolve) => {
    window.setTimeout(resolve, milliseconds);
    window.addEventListener("online", resolve, { once: true });
    signal.addEventListener("abort", resolve, { once: true });
  });
  signal.throwIfAborted();
}

/**
 * @param {Response} response
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<AnswerEvent, void>}
 */
async function* answerEvents(response, signal) {
  const parser = new SseParser();
  for await (const text of pieces(response, signal)) {
    for (const { type, data, id } of parser.push(text)) {
      const event = /** @type {any} */ (parse(data));
      if (type === "error") throw streamRefusal(event, response);
      if (type === "start") yield { type, id, start: event };
      if (type === "token") yield { type, id, text: String(event.text ?? "") };
      if (type === "state") yield { type, id, state: event };
      if (type === "done") yield { type, id, report: event };
    }
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
    throw localRefusal("connection_lost");
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
  if (!reader) throw localRefusal("connection_lost");
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await withinSilenceLimit(reader.read());
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } catch {
    throw signal.aborted ? signal.reason : localRefusal("connection_lost");
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
    timer = setTimeout(() => reject(localRefusal("connection_lost")), SILENCE_LIMIT_MS);
  });
  return Promise.race([reading, /** @type {Promise<never>} */ (silence)]).finally(() =>
    clearTimeout(timer),
  );
}
