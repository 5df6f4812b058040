/**
 * The events of a training as they come, mended where the line breaks: from the last event on.
 * Knows nothing of what is shown.
 */

import { SseParser } from "../sse.js";
import { translator } from "../words.js";

const PAUSE_MS = 1500;
const SERVER_FAULT = 500;

/** The run, or the right to see it, is no longer there. */
class Gone extends Error {}

/** @typedef {{run?: RunEvent, log?: string[], state?: TrainingRun, done?: boolean}} News */

/**
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<News, void>}
 */
export async function* newsOf(id, signal) {
  let last = "";
  while (!signal.aborted) {
    try {
      for await (const event of events(id, last, signal)) {
        last = event.id || last;
        yield news(event.type, JSON.parse(event.data));
        if (event.type === "done") return;
      }
    } catch (error) {
      if (error instanceof Gone) return; // else the line broke: it is tried again
    }
    if (!signal.aborted) await pause(signal);
  }
}

/**
 * @param {string} type
 * @param {any} data
 * @returns {News}
 */
function news(type, data) {
  if (type === "run") return { run: data };
  if (type === "log") return { log: data.lines };
  return { state: data, done: type === "done" };
}

/**
 * @param {string} id
 * @param {string} last
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<SseEvent, void>}
 */
async function* events(id, last, signal) {
  const response = await fetch(`api/runs/${encodeURIComponent(id)}/events`, {
    cache: "no-store",
    signal,
    headers: { "Accept-Language": translator.language, ...(last && { "Last-Event-ID": last }) },
  });
  if (response.status < SERVER_FAULT && !response.ok) throw new Gone();
  if (!response.ok || !response.body) throw new Error(String(response.status));
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield* parser.push(decoder.decode(value, { stream: true }));
  }
}

/** @param {AbortSignal} signal */
function pause(signal) {
  return new Promise((resolve) => {
    window.setTimeout(resolve, PAUSE_MS);
    signal.addEventListener("abort", resolve, { once: true });
  });
}
