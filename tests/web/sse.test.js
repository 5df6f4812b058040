// Server-sent events as the page reads them.

import assert from "node:assert/strict";
import test from "node:test";
import { SseParser } from "../../web/js/sse.js";

const STREAM =
  "id: 1\nevent: start\ndata: {}\n\n: ping\n\n" +
  'id: 2\nevent: token\ndata: {"text":"año 🎓"}\n\n' +
  "data: one\ndata: two\n\n";

const EVENTS = [
  { type: "start", data: "{}", id: "1" },
  { type: "token", data: '{"text":"año 🎓"}', id: "2" },
  { type: "message", data: "one\ntwo", id: "2" },
];

/** @param {string[]} pieces */
function parsed(pieces) {
  const parser = new SseParser();
  return pieces.flatMap((piece) => parser.push(piece));
}

test("events, comments and data of several lines are read from one piece", () => {
  assert.deepEqual(parsed([STREAM]), EVENTS);
});

test("a stream cut between any two characters gives the same events", () => {
  for (let cut = 1; cut < STREAM.length; cut += 1) {
    assert.deepEqual(parsed([STREAM.slice(0, cut), STREAM.slice(cut)]), EVENTS);
  }
  assert.deepEqual(parsed([...STREAM]), EVENTS);
});

test("CRLF and CR end a line as LF does, wherever the pieces are cut", () => {
  for (const end of ["\r\n", "\r"]) {
    const stream = STREAM.replaceAll("\n", end);
    assert.deepEqual(parsed([stream, "\n"]), EVENTS);
    assert.deepEqual(parsed([...stream, "\n"]), EVENTS);
  }
});

test("the end of a stream does not complete an event", () => {
  assert.deepEqual(parsed(["event: done\ndata: {}\n"]), []);
});

test("an event without data is no event, and its type is forgotten", () => {
  assert.deepEqual(parsed(["event: token\n\ndata: x\n\n"]), [
    { type: "message", data: "x", id: "" },
  ]);
});

test("one space after the colon belongs to the field, the next to the value", () => {
  assert.deepEqual(
    parsed(["data:  a:b\n\ndata\n\n"]).map(({ data }) => data),
    [" a:b", ""],
  );
});
