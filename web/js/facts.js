/**
 * What is told under an answer: the model, its tokens, its time, and what was left out.
 * Gives keys and values; knows neither the words nor the page.
 */

/**
 * @param {Exchange} exchange
 * @returns {Fact[]}
 */
export function factsOf({ state, model, truncated, report }) {
  const { tokens_used: tokens, completion_tokens: written } = report ?? {};
  const seconds = report?.latency_seconds;
  /** @type {Fact[]} */
  const facts = [];
  if (state === "stopped") facts.push(["answer.stopped"]);
  if (model) facts.push(["answer.model", { model }]);
  if (tokens) facts.push(["answer.tokens", { count: tokens, written: written ?? tokens }]);
  if (seconds) facts.push(["answer.latency", { seconds: rounded(seconds) }]);
  if (written && seconds) facts.push(["answer.rate", { rate: rounded(written / seconds) }]);
  if (report?.cached) facts.push(["answer.shared"]);
  if (truncated) facts.push(["answer.truncated"]);
  return facts;
}

/**
 * Two digits that mean something are enough: 0.34, 2.3, 44.
 * @param {number} value
 */
function rounded(value) {
  return value < 10 ? Number(value.toPrecision(2)) : Math.round(value);
}
