/**
 * All conversations of the reader, as the server keeps them. Knows nothing of how they are
 * shown.
 */

import { documentOf, json, send } from "./server.js";

/** As many as the server gives at once. */
const PAGE = 100;

/**
 * @param {{words?: string, cursor?: string, pinned?: boolean}} wanted
 * @param {AbortSignal} [signal]
 * @returns {Promise<{conversations: Summary[], cursor: string | null}>}
 */
export async function listed({ words = "", cursor = "", pinned = false }, signal) {
  const query = new URLSearchParams({
    limit: String(PAGE),
    ...(words && { q: words }),
    ...(cursor && { cursor }),
    ...(pinned && { pinned: "true" }),
  });
  const response = await send(`api/conversations?${query}`, signal ? { signal } : {});
  return documentOf(response);
}

/**
 * @param {string} id
 * @param {{title?: string, pinned?: boolean}} changed
 */
export async function change(id, changed) {
  await send(place(id), { method: "PATCH", ...json(changed) });
}

/** @param {string} id of a conversation that goes for ever, even while the page is left */
export async function remove(id) {
  await send(place(id), { method: "DELETE", keepalive: true });
}

/**
 * @param {string} text a file of our own, or of OpenAI's messages
 * @returns {Promise<string[]>} the ids of what was taken over
 */
export async function takeOver(text) {
  const headers = { "Content-Type": "application/json" };
  const response = await send("api/conversations/import", { method: "POST", headers, body: text });
  return (await documentOf(response)).conversations;
}

/**
 * @param {string} id
 * @param {"md" | "json"} format
 * @returns {string} the address of the file
 */
export function exportOf(id, format) {
  return `${place(id)}/export?format=${format}`;
}

/** @param {string} id */
function place(id) {
  return `api/conversations/${encodeURIComponent(id)}`;
}
