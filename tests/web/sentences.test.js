// What a screen reader is given of an answer while it is written.

import assert from "node:assert/strict";
import test from "node:test";
import { Sentences } from "../../web/js/sentences.js";

/** @param {string} text */
function remarks(text) {
  const sentences = new Sentences();
  const said = [...text].map((character) => sentences.push(character));
  return [...said, sentences.flush()].filter(Boolean);
}

test("sentences are said whole, the last one at the end", () => {
  assert.deepEqual(remarks("One value is 2.5 here. Is it? Yes"), [
    "One value is 2.5 here.",
    "Is it?",
    "Yes",
  ]);
});

test("a line is a sentence, and marks are not read", () => {
  assert.deepEqual(remarks("## A title\n\n- **bold** item\n- [a link](https://example.org)\n"), [
    "A title",
    "bold item",
    "a link",
  ]);
});

test("names with underscores and numbers keep their form", () => {
  assert.deepEqual(remarks("Use `my_list` twice."), ["Use my_list twice."]);
});
