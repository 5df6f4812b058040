// What is kept of a conversation, and how a question is asked again.

import assert from "node:assert/strict";
import test from "node:test";
import { Conversation } from "../../web/js/conversation.js";
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

/** A conversation whose first question was answered. */
function answered() {
  const conversation = new Conversation(new Store(area));
  const first = conversation.begin("first", "en");
  Object.assign(first, { answer: "one", streamId: "s1", state: "done", ended: true });
  return { conversation, first };
}

test("a question follows the answer before it, under a key of its own", () => {
  const { conversation, first } = answered();
  const second = conversation.begin("second", "en");
  assert.equal(first.parent, "");
  assert.equal(second.parent, "s1");
  assert.match(second.key, /^[0-9a-f]{32}$/);
  assert.notEqual(second.key, first.key);
});

test("an answer that ended is asked for again where it stopped", () => {
  const { conversation, first } = answered();
  const key = first.key;
  conversation.restart(first);
  assert.equal(first.again, "api/messages/s1/continue");
  assert.equal(first.state, "pending");
  assert.notEqual(first.key, key);
});

test("an answer that never began is written anew; one on its way keeps its place", () => {
  const { conversation, first } = answered();
  first.answer = "";
  conversation.restart(first);
  assert.equal(first.again, "api/messages/s1/regenerate");
  const second = conversation.begin("second", "en");
  Object.assign(second, { answer: "half", streamId: "s2", eventId: "4" });
  conversation.restart(second);
  assert.deepEqual([second.streamId, second.eventId, second.answer], ["s2", "4", "half"]);
});

test("a conversation survives a reload with its id and the place in its answer", () => {
  const session = area();
  const conversation = new Conversation(new Store(() => session));
  conversation.id = "c1";
  Object.assign(conversation.begin("first", "en"), { answer: "half", streamId: "s1", eventId: "4" });
  conversation.save();
  const later = new Conversation(new Store(() => session));
  const [kept] = later.exchanges;
  assert.equal(later.id, "c1");
  assert.deepEqual([kept?.answer, kept?.streamId, kept?.eventId], ["half", "s1", "4"]);
});

test("versions are those at the same place, and choosing one shows what followed it", () => {
  const { conversation, first } = answered();
  const second = conversation.begin("second", "en");
  Object.assign(second, { answer: "two", streamId: "s2", questionId: "q2", state: "done" });
  const other = conversation.regenerate(first);
  assert.equal(other.again, "api/messages/s1/regenerate");
  assert.deepEqual(conversation.exchanges, [other]);
  Object.assign(other, { answer: "eins", streamId: "s3", questionId: "q1", state: "done" });
  const edited = conversation.edit(other, "erste", "en");
  assert.equal(edited.again, "api/messages/q1/edit");
  Object.assign(edited, { answer: "uno", streamId: "s4", questionId: "q4", state: "done" });
  assert.deepEqual(conversation.versions(edited), [first, other, edited]);
  assert.equal(conversation.choose(edited, first), "s2");
  assert.deepEqual(conversation.exchanges, [first, second]);
  assert.deepEqual(conversation.versions(second), [second]);
});

test("a version that failed without a word is none", () => {
  const { conversation, first } = answered();
  const other = conversation.regenerate(first);
  Object.assign(other, { streamId: "s3", state: "failed" });
  assert.deepEqual(conversation.versions(other), [first, other]);
  conversation.choose(other, first);
  assert.deepEqual(conversation.versions(first), [first]);
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
