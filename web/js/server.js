/**
 * Requests to the service, whose refusals are errors that can be told, and the way to sign in
 * where it wants to know who asks. Addresses are relative to the page. Knows nothing of what is
 * asked or shown.
 */

import { localRefusal, refusalOf } from "./failure.js";
import { signInFirst, who } from "./who.js";
import { translator } from "./words.js";

/** Where 401 means a wrong password. */
const ASK_PASSWORDS = ["api/auth/sign-in", "api/me/password"];

/**
 * @param {object} body
 * @returns {{headers: Record<string, string>, body: string}}
 */
export function json(body) {
  return { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

/**
 * Ask, and throw a Refusal unless that went well; the signal's reason where it was given up.
 * Only what is read goes past the browser's cache: with a question `no-store` would be sent as
 * the wish for an answer that nobody else gets.
 * @param {string} path
 * @param {RequestInit & {headers?: Record<string, string>}} [options]
 */
export async function send(path, options = {}) {
  const { signal, method, headers } = options;
  const response = await fetch(path, {
    ...(!method && { cache: "no-store" }),
    ...options,
    headers: { "Accept-Language": translator.language, ...headers },
  }).catch(() => {
    throw signal?.aborted ? signal.reason : worded(localRefusal("offline"));
  });
  if (response.ok) return response;
  if (await asksWhoIsThere(response, path)) signInFirst();
  throw worded(await refusalOf(response));
}

/**
 * Ask for a document, or have one taken.
 * @param {string} method
 * @param {string} path as in `me/keys`
 * @param {object} [body]
 * @param {Record<string, string>} [headers]
 * @returns {Promise<any>} the document of the answer, null if it has none
 */
export async function call(method, path, body, headers) {
  const sent = body ? json(body) : { headers: {} };
  const all = { ...sent.headers, ...headers };
  const response = await send(`api/${path}`, { method, cache: "no-store", ...sent, headers: all });
  return response.status === 204 ? null : documentOf(response);
}

/**
 * @param {Response} response whose line may break before all of it is there
 * @returns {Promise<any>}
 */
export function documentOf(response) {
  return response.json().catch(() => {
    throw worded(localRefusal("connection_lost"));
  });
}

/**
 * @param {Response} response
 * @param {string} path
 */
async function asksWhoIsThere({ status }, path) {
  if (status !== 401 || ASK_PASSWORDS.includes(path)) return false;
  return (await who()).mode !== "open";
}

/**
 * What the service did not put into words itself.
 * @param {import("./failure.js").Refusal} refusal
 */
function worded(refusal) {
  const { code } = refusal.failure;
  refusal.message ||= translator.text(refusal.status ? "failure.internal" : `failure.${code}`);
  return refusal;
}
