// What the fragment of an address means.

import assert from "node:assert/strict";
import test from "node:test";
import { addressOf } from "../../web/js/address.js";

test("a fragment names a view and what stands behind it", () => {
  const meant = {
    "": ["chat", ""],
    "#/": ["chat", ""],
    "#/c/0190": ["chat", "0190"],
    "#/lessons": ["lessons", ""],
    "#/lessons/knowledge/m%C3%BAsica": ["lessons", "knowledge/música"],
    "#/account?tab=keys": ["account", "tab=keys"],
    "#/sign-in": ["sign-in", ""],
    "#invitation=abc": ["sign-in", "invitation=abc"],
    "#password=a%20b": ["sign-in", "password=a%20b"],
  };
  for (const [fragment, [view, rest]] of Object.entries(meant)) {
    assert.deepEqual(addressOf(fragment), { view, rest }, fragment);
  }
});

test("what nobody knows is the chat, and broken signs are kept as they are", () => {
  for (const fragment of ["#question", "#/nowhere/x", "#/../lessons", "#/constructor"]) {
    assert.deepEqual(addressOf(fragment), { view: "chat", rest: "" }, fragment);
  }
  assert.deepEqual(addressOf("#/models/%E0%A4"), { view: "models", rest: "%E0%A4" });
});
