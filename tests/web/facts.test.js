// What is told under an answer.

import assert from "node:assert/strict";
import test from "node:test";
import { factsOf } from "../../web/js/facts.js";

/** @param {object} parts @returns {any} */
const exchange = (parts) => ({ state: "done", model: "samples_0", truncated: false, ...parts });

test("model, tokens, seconds and tokens per second of the answer are told", () => {
  const report = {
    tokens_used: 145,
    prompt_tokens: 42,
    completion_tokens: 103,
    latency_seconds: 2.34,
  };
  assert.deepEqual(factsOf(exchange({ report })), [
    ["answer.model", { model: "samples_0" }],
    ["answer.tokens", { count: 145, written: 103 }],
    ["answer.latency", { seconds: 2.3 }],
    ["answer.rate", { rate: 44 }],
  ]);
});

test("what the server did not say is not told", () => {
  const report = { tokens_used: 0, latency_seconds: 0 };
  assert.deepEqual(factsOf(exchange({ report })), [["answer.model", { model: "samples_0" }]]);
});

test("a stopped answer and older turns that were left out are told", () => {
  assert.deepEqual(factsOf(exchange({ state: "stopped", truncated: true, model: "" })), [
    ["answer.stopped"],
    ["answer.truncated"],
  ]);
});
