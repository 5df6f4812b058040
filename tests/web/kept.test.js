// A conversation of the server's, turned into exchanges.

import assert from "node:assert/strict";
import test from "node:test";
import { exchangesOf } from "../../web/js/kept.js";

/** @param {object} facts @returns {any} */
const message = (facts) => ({
  ...{ parent_id: null, role: "assistant", text: "", state: "complete", model: "m", parameters: {} },
  ...{ prompt_tokens: 3, completion_tokens: 4, latency_seconds: 2, finish_reason: "stop" },
  ...{ truncated: false, cached: false, error: "", feedback: null },
  ...facts,
});
const question = (/** @type {object} */ facts) => message({ role: "user", ...facts });

/** @param {any[]} messages @param {string | null} leaf */
const read = (messages, leaf) => exchangesOf({ id: "c", title: "", leaf_id: leaf, messages }, "en");

test("an exchange is an answer with its question; the branch of the leaf is shown", () => {
  const all = read(
    [
      question({ id: "q1", text: "one?" }),
      message({ id: "a1", parent_id: "q1", text: "One.", parameters: { language: "es" } }),
      message({ id: "a2", parent_id: "q1", text: "Uno." }),
      question({ id: "q3", parent_id: "a1", text: "two?" }),
      message({ id: "a3", parent_id: "q3", text: "Two." }),
    ],
    "a3",
  );
  assert.deepEqual(
    all.map(({ question, answer, parent, shown }) => [question, answer, parent, shown]),
    [["one?", "One.", "", true], ["one?", "Uno.", "", false], ["two?", "Two.", "a1", true]],
  );
  assert.deepEqual([all[0]?.language, all[1]?.language], ["es", "en"]);
  assert.equal(all[0]?.report?.tokens_used, 7);
});

test("each end of an answer is told as the page tells it", () => {
  const ends = { complete: "done", stopped: "stopped", interrupted: "failed", streaming: "pending" };
  for (const [state, shown] of Object.entries(ends)) {
    const [found] = read([message({ id: "a", text: "half", state })], "a");
    assert.equal(found?.state, shown);
    assert.equal(found?.answer, state === "streaming" ? "" : "half");
  }
  const [failed] = read([message({ id: "a", state: "failed", error: "overloaded" })], "a");
  assert.equal(failed?.failure?.code, "overloaded");
});

test("an imported file may have questions without answers, and answers without questions", () => {
  const messages = [
    message({ id: "a0", text: "Welcome." }),
    question({ id: "q1", parent_id: "a0", text: "one?" }),
    question({ id: "q2", parent_id: "q1", text: "and two?" }),
    message({ id: "a2", parent_id: "q2", text: "Two." }),
  ];
  const all = read(messages, "a2");
  assert.deepEqual(
    all.map(({ question, answer, shown }) => [question, answer, shown]),
    [["", "Welcome.", true], ["one?", "", true], ["and two?", "Two.", true]],
  );
});
