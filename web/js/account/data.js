/** What is stored of the reader: how much, all of it as a file, and an end to it. */

import { dateOf } from "../dates.js";
import { element } from "../element.js";
import { leaveNothing } from "../leaving.js";
import { call } from "../server.js";
import { confirmed, does, filled, section } from "./section.js";

/** @type {readonly (readonly [count: "conversations" | "messages" | "ratings" | "keys" | "sessions", key: Key])[]} */
const COUNTS = [
  ["conversations", "account.stored.conversations"],
  ["messages", "account.stored.messages"],
  ["ratings", "account.stored.ratings"],
  ["keys", "account.stored.keys"],
  ["sessions", "account.stored.sessions"],
];

/** @param {Who} reader */
export function data(reader) {
  const told = element("div");
  filled(told, async () => counts(await call("GET", "me/stored")));
  const file = element("a", { class: "plain", href: "api/me/export", download: "", key: "account.export" });
  const gone = element("button", { type: "button", class: "plain danger", key: "account.delete" });
  does(gone, () => forget(reader));
  return section("data", told, element("div", { class: "buttons" }, file, gone));
}

/** @param {Stored} stored */
function counts(stored) {
  if (!stored.since) return [element("p", { class: "hint", key: "account.stored.nothing" })];
  const shown = COUNTS.filter(([name]) => stored[name] > 0).map(([name, key]) =>
    element("li", { key, values: { count: stored[name] } }),
  );
  const days = stored.retention_days;
  const kept = element("p", {
    class: "hint",
    key: days ? "account.stored.until" : "account.stored.forEver",
    values: { count: days },
  });
  const since = element("li", {}, element("span", { key: "account.stored.since" }), " ", dateOf(stored.since));
  return [element("ul", { class: "counts" }, ...shown, since), kept];
}

/** @param {Who} reader */
async function forget({ signedIn }) {
  const text = signedIn ? "account.deleteAccountText" : "account.deleteText";
  if (!(await confirmed("account.deleteTitle", text, "account.deleteGo"))) return;
  await call("DELETE", "me");
  leaveNothing(signedIn ? "#/sign-in" : "#/");
}
