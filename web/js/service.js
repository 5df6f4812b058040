/**
 * Requests to the service for everything but answers: JSON there and back, refusals in the
 * page's language. Addresses are relative to the page. Knows nothing of what is shown.
 */

import { signInFirst } from "./who.js";
import { translator } from "./words.js";

/** The service said no, or could not be reached: `message` is for people. */
export class Refusal extends Error {
  /**
   * @param {string} message
   * @param {number} status 0 if there was no answer
   * @param {string} code of the contract; empty if there was none
   * @param {readonly FieldProblem[]} fields what is wrong, by field
   */
  constructor(message, status, code = "", fields = []) {
    super(message);
    this.name = "Refusal";
    this.status = status;
    this.code = code;
    this.fields = fields;
  }
}

/**
 * @param {string} method
 * @param {string} path as in `me/keys`
 * @param {object} [body]
 * @param {Record<string, string>} [headers]
 * @returns {Promise<any>} the document of the answer, null if it has none
 */
export async function call(method, path, body, headers) {
  const response = await fetch(`api/${path}`, {
    method,
    cache: "no-store",
    headers: { "Accept-Language": translator.language, ...(body && JSON_TYPE), ...headers },
    ...(body && { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new Refusal(translator.text("failure.offline"), 0);
  });
  if (response.ok) return response.status === 204 ? null : response.json();
  throw await refusal(response, path);
}

/** Where 401 means a wrong password. */
const ASK_PASSWORDS = ["auth/sign-in", "me/password"];

const JSON_TYPE = { "Content-Type": "application/json" };

/**
 * @param {Response} response
 * @param {string} path
 */
async function refusal(response, path) {
  /** @type {{code?: string, detail?: string, errors?: FieldProblem[]}} */
  const { code = "", detail = "", errors = [] } = await response.json().catch(() => ({}));
  if (code === "unauthenticated" && !ASK_PASSWORDS.includes(path)) signInFirst();
  return new Refusal(
    detail || translator.text("failure.internal"),
    response.status,
    code,
    errors,
  );
}
