/**
 * Everything that can go wrong with a question, as data that can be stored and shown.
 * Knows the contract's error codes; knows nothing of words or of the page.
 */

/** @type {FailureCode[]} */
const SERVER_CODES = [
  "invalid_request",
  "body_too_large",
  "unauthenticated",
  "forbidden",
  "rate_limited",
  "engine_unreachable",
  "overloaded",
  "draining",
  "engine_timeout",
  "engine_error",
  "engine_lost",
  "interrupted",
  "store_unavailable",
  "not_found",
  "internal",
];

/** What a proxy on the way may answer without a code of ours. @type {Record<number, FailureCode>} */
const CODE_OF_STATUS = {
  400: "invalid_request",
  401: "unauthenticated",
  403: "forbidden",
  413: "body_too_large",
  422: "invalid_request",
  429: "rate_limited",
  502: "engine_unreachable",
  503: "engine_unreachable",
  504: "engine_timeout",
};

/** Where the log tells an operator more than the code tells the reader. @type {FailureCode[]} */
const TRACEABLE = ["engine_timeout", "engine_error", "engine_lost", "internal"];

/** The service said no, broke off, or could not be reached. */
export class Refusal extends Error {
  /**
   * @param {Failure} failure
   * @param {{isEnd?: boolean, status?: number, detail?: string, fields?: readonly FieldProblem[]}} [more]
   *   whether it ended the answer, so that there is no more of it to be read; the status, 0 if
   *   there was no answer; what people may read of it; what is wrong, by field
   */
  constructor(failure, { isEnd = false, status = 0, detail = "", fields = [] } = {}) {
    super(detail);
    this.name = "Refusal";
    this.failure = failure;
    this.isEnd = isEnd;
    this.status = status;
    this.fields = fields;
  }
}

/**
 * A failure that this side noticed.
 * @param {FailureCode} code
 */
export function localRefusal(code) {
  return new Refusal({ code, retryable: true });
}

/**
 * A refusal, from its problem+json or, failing that, from its status alone.
 * @param {Response} response
 */
export async function refusalOf(response) {
  const { status, headers } = response;
  /** @type {{code?: unknown, request_id?: unknown, detail?: string, errors?: FieldProblem[]}} */
  const problem = (await response.json().catch(() => null)) ?? {};
  const code = knownCode(problem.code) ?? CODE_OF_STATUS[status] ?? "internal";
  const failure = {
    code,
    retryable: true,
    ...referenceOf(code, problem.request_id ?? headers.get("X-Request-ID")),
    ...retryAtOf(headers.get("Retry-After")),
  };
  const { detail = "", errors: fields = [] } = problem;
  return new Refusal(failure, { status, detail, fields });
}

/**
 * The `error` event that ended a stream.
 * @param {{code?: unknown, retryable?: unknown, retry_after?: unknown}} data
 * @param {Response} response
 */
export function streamRefusal(data, response) {
  const code = knownCode(data.code) ?? "internal";
  const failure = {
    code,
    retryable: data.retryable !== false,
    ...referenceOf(code, response.headers.get("X-Request-ID")),
    ...retryAtOf(data.retry_after),
  };
  return new Refusal(failure, { isEnd: true });
}

/**
 * @param {unknown} code
 * @returns {FailureCode | undefined}
 */
export function knownCode(code) {
  return SERVER_CODES.find((known) => known === code);
}

/**
 * @param {FailureCode} code
 * @param {unknown} id
 */
function referenceOf(code, id) {
  return typeof id === "string" && TRACEABLE.includes(code) ? { reference: id } : {};
}

/** @param {unknown} seconds */
function retryAtOf(seconds) {
  const wait = Number(seconds);
  return wait > 0 ? { retryAt: Date.now() + wait * 1000 } : {};
}
