// What is kept of a conversation, and what of it goes along with the next question.

import assert from "node:assert/strict";
import test from "node:test";
import { Conversation, newestTurns } from "../../web/js/conversation.js";
import { Store } from "../../web/js/store.js";

/** @returns {Storage} a storage area in memory */
function area() {
  const kept = new Map();
  return /** @type {any} */ ({
    getItem: (/** @type {string} */ name) => kept.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ value) => kept.set(name, value),
    removeItem: (/** @type {string} */ name) => kept.delete(name),
  });
}

/** @param {string} question @param {string} answer */
const exchange = (question, answer) =>
  /** @type {any} */ ({
    question,
    answer,
    language: "en",
    state: "done",
    model: "m",
    truncated: false,
  });

test("turns go along oldest first, question before answer", () => {
  assert.deepEqual(newestTurns([exchange("a", "b"), exchange("c", "d")]), {
    turns: [
      { role: "user", content: "a" },
      { role: "assistant", content: "b" },
      { role: "user", content: "c" },
      { role: "assistant", content: "d" },
    ],
    complete: true,
  });
});

test("a question without an answer does not go along", () => {
  assert.deepEqual(newestTurns([exchange("a", ""), exchange("b", " \n")]).turns, []);
});

test("at most 100 turns go along, the newest", () => {
  const { turns, complete } = newestTurns(
    Array.from({ length: 60 }, (_, i) => exchange(`q${i}`, "a")),
  );
  assert.equal(turns.length, 100);
  assert.equal(turns[0]?.content, "q10");
  assert.equal(complete, false);
});

test("at most 32 000 characters go along, the newest, and no exchange is torn", () => {
  const long = exchange("q", "x".repeat(15_999));
  assert.equal(newestTurns([long, long]).complete, true);
  const { turns, complete } = newestTurns([exchange("q", "a"), long, long]);
  assert.equal(turns.length, 4);
  assert.equal(complete, false);
});

test("a conversation survives a reload; an answer on its way is lost and can be retried", () => {
  const session = area();
  const conversation = new Conversation(new Store(() => session));
  conversation.begin("first", "en").answer = "half";
  conversation.save();
  const [kept] = new Conversation(new Store(() => session)).exchanges;
  assert.equal(kept?.answer, "half");
  assert.equal(kept?.state, "failed");
  assert.deepEqual(kept?.failure, { code: "connection_lost", retryable: true });
});

test("a cleared conversation can be brought back once", () => {
  const session = area();
  const conversation = new Conversation(new Store(() => session));
  conversation.begin("first", "en");
  conversation.clear();
  assert.equal(conversation.exchanges.length, 0);
  const later = new Conversation(new Store(() => session));
  assert.equal(later.hasPrevious, true);
  later.bringBack();
  assert.equal(later.exchanges[0]?.question, "first");
  assert.equal(later.hasPrevious, false);
});

test("the history of an exchange ends before it", () => {
  const conversation = new Conversation(new Store(area));
  const first = conversation.begin("first", "en");
  first.answer = "one";
  const second = conversation.begin("second", "en");
  assert.equal(conversation.historyBefore(first).turns.length, 0);
  assert.equal(conversation.historyBefore(second).turns.length, 2);
});

test("a storage that is blocked, full or holds something else costs only the memory", () => {
  const blocked = new Store(() => {
    throw new Error("blocked");
  });
  const full = new Store(() => ({
    ...area(),
    getItem: () => "{",
    setItem: () => {
      throw new Error("full");
    },
  }));
  for (const store of [blocked, full]) {
    const conversation = new Conversation(store);
    conversation.begin("a", "en");
    assert.equal(conversation.exchanges.length, 1);
  }
});
