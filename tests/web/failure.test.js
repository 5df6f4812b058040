// How a refusal by the server, or by a proxy on the way, becomes a failure the page has words for.

import assert from "node:assert/strict";
import test from "node:test";
import { refusalOf, streamRefusal } from "../../web/js/failure.js";

/**
 * @param {number} status
 * @param {object | string} body
 * @param {Record<string, string>} [headers]
 */
async function failureOf(status, body, headers = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return (await refusalOf(new Response(text, { status, headers }))).failure;
}

test("the code of the problem counts", async () => {
  const failure = await failureOf(503, { code: "overloaded", request_id: "r1" });
  assert.deepEqual(failure, { code: "overloaded", retryable: true });
});

test("without a known code the status counts", async () => {
  assert.equal((await failureOf(413, "<html>")).code, "body_too_large");
  assert.equal((await failureOf(504, { code: "new_one" })).code, "engine_timeout");
  assert.equal((await failureOf(418, "")).code, "internal");
  assert.equal((await failureOf(502, "null")).code, "engine_unreachable");
});

test("Retry-After gives the moment from which trying again makes sense", async () => {
  const before = Date.now();
  const { retryAt = 0 } = await failureOf(429, { code: "rate_limited" }, { "Retry-After": "30" });
  assert.ok(retryAt >= before + 30_000 && retryAt <= Date.now() + 30_000);
  assert.equal((await failureOf(429, {}, { "Retry-After": "soon" })).retryAt, undefined);
});

test("what people may read of it is kept, and what is wrong by field", async () => {
  const problem = { code: "invalid_request", detail: "No.", errors: [{ field: "name", message: "is taken" }] };
  const { message, status, fields } = await refusalOf(new Response(JSON.stringify(problem), { status: 422 }));
  assert.deepEqual({ message, status, fields }, { message: "No.", status: 422, fields: problem.errors });
});

test("where the log knows more, its reference is kept", async () => {
  const response = new Response("", { headers: { "X-Request-ID": "r2" } });
  assert.equal((await failureOf(500, { code: "internal", request_id: "r1" })).reference, "r1");
  assert.equal(streamRefusal({ code: "engine_lost" }, response).failure.reference, "r2");
});

test("a stream's error says whether trying again can help", () => {
  const response = new Response("");
  assert.equal(streamRefusal({ code: "engine_lost" }, response).failure.retryable, true);
  assert.equal(
    streamRefusal({ code: "engine_error", retryable: false }, response).failure.retryable,
    false,
  );
});
