// Conversations by day.

import assert from "node:assert/strict";
import test from "node:test";
import { nameOf, rowsOf } from "../../web/js/days.js";

/** @param {string} id @param {Date} changed @returns {any} */
const summary = (id, changed) => ({ id, title: id, updated_at: changed.toISOString(), snippet: "" });

test("pinned ones come first and once, the others under their days", () => {
  const [now, before] = [new Date(2026, 10, 23, 9), new Date(2026, 10, 22, 23)];
  const others = [summary("a", now), summary("b", now), summary("c", before)];
  const rows = rowsOf([summary("b", now)], others);
  const told = rows.map((row) => (row.kind === "entry" ? row.summary.id : row.kind));
  assert.deepEqual(told, ["pinned", "b", "day", "a", "day", "c"]);
  assert.deepEqual(rowsOf([], []), []);
});

test("a day is named as people name it", () => {
  const now = new Date(2026, 10, 23, 0, 5);
  const name = (/** @type {Date} */ day, tag = "en-GB") => nameOf(day, now, tag);
  assert.equal(name(new Date(2026, 10, 23)), "Today");
  assert.equal(name(new Date(2026, 10, 22, 23, 59)), "Yesterday");
  assert.equal(name(new Date(2026, 10, 22), "es"), "Ayer");
  assert.match(name(new Date(2026, 10, 20)), /^Friday/);
  assert.equal(name(new Date(2026, 9, 2)), "2 October");
  assert.equal(name(new Date(2024, 9, 2)), "2 October 2024");
});
