/**
 * Requests to the API, whose refusals are errors that can be told. Addresses are relative
 * to the page. Knows nothing of what is asked.
 */

import { localError, refusalError } from "./failure.js";
import { signInFirst, who } from "./who.js";

/**
 * @param {object} body
 * @returns {{headers: Record<string, string>, body: string}}
 */
export function json(body) {
  return { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

/**
 * Ask, and throw a ChatError unless that went well; the signal's reason where it was given up.
 * Only what is read goes past the browser's cache: with a question `no-store` would be sent as
 * the wish for an answer that nobody else gets.
 * @param {string} path
 * @param {RequestInit} [options]
 */
export async function send(path, options = {}) {
  const { signal } = options;
  /** @type {RequestInit} */
  const unkept = options.method ? {} : { cache: "no-store" };
  const response = await fetch(path, { ...unkept, ...options }).catch(() => {
    throw signal?.aborted ? signal.reason : localError("offline");
  });
  if (response.ok) return response;
  if (response.status === 401 && (await who()).mode !== "open") signInFirst();
  throw await refusalError(response);
}
