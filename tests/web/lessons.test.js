// What a form shows of a lesson, whatever form the lesson has.

import assert from "node:assert/strict";
import test from "node:test";
import { entriesOf, pairsOf, textKeys } from "../../web/js/lessons/content.js";

const PAIR = { question: "Why?", answer: "Because.", paraphrases: ["How come?"] };

test("questions of a context carry it, and others stand alone", () => {
  const grouped = { seed_examples: [{ context: "Text", questions_and_answers: [PAIR, PAIR] }] };
  assert.deepEqual(
    pairsOf(grouped, "seed_examples").map(({ context }) => context),
    ["Text", "Text"],
  );
  assert.deepEqual(pairsOf({ exam: [PAIR] }, "exam"), [{ ...PAIR, context: "" }]);
});

test("what is no list of entries is an empty one", () => {
  assert.deepEqual(entriesOf({ exam: "text" }, "exam"), []);
  assert.deepEqual(entriesOf({ exam: ["text", PAIR] }, "exam"), [PAIR]);
  assert.deepEqual(entriesOf({}, "exam"), []);
});

test("a form offers what is there and what such a lesson needs", () => {
  assert.deepEqual(textKeys({}, "knowledge/science/x"), [
    "task_description",
    "domain",
    "created_by",
    "language",
  ]);
  const document = { document: {}, domain: "x" };
  assert.ok(textKeys(document, "knowledge/science/x").includes("document_outline"));
  assert.ok(!textKeys({}, "compositional_skills/x/y").includes("domain"));
});
