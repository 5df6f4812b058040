/** The reader's own API keys: made for a purpose and a time, seen once, listed, revoked. */

import { dateOf } from "../dates.js";
import { element } from "../element.js";
import { choice, Form } from "../form.js";
import { call } from "../server.js";
import { shownOnce } from "./secrets.js";
import { confirmed, does, filled, section } from "./section.js";

const DAYS = ["7", "30", "90", "365", ""];

/** @param {Who} reader */
export function keys(reader) {
  const list = element("div", { class: "list" });
  const made = element("div");
  const show = () => filled(list, async () => rows(await call("GET", "me/keys"), show));
  show();
  const form = newKey(scopesOf(reader), async (body) => {
    const { key } = await call("POST", "me/keys", body);
    made.replaceChildren(shownOnce("account.newKey", key));
    await show();
  });
  const part = element("details", {}, element("summary", { key: "account.makeKey" }), form);
  return section("keys", list, made, part);
}

/** @param {Who} reader */
function scopesOf({ role }) {
  return ["chat", "conversations", ...(role === "admin" ? ["stats", "users"] : [])];
}

/**
 * @param {readonly string[]} scopes
 * @param {(body: object) => Promise<void>} send
 */
function newKey(scopes, send) {
  const boxes = scopes.map((value) =>
    element("input", { type: "checkbox", value, checked: value === "chat" }),
  );
  const days = choice(DAYS.map(lasting), "90");
  const name = element("input", { required: true, maxlength: 64, autocomplete: "off" });
  const form = new Form(
    {
      name: { label: "account.keyName", input: name, hint: "account.keyNameHint" },
      days: { label: "account.keyDays", input: days },
    },
    "account.makeKey",
    async (values) => {
      const chosen = boxes.filter(({ checked }) => checked).map(({ value }) => value);
      await send({ name: values["name"], scopes: chosen, days: Number(values["days"]) || null });
      form.element.reset();
    },
    "plain",
  );
  form.element.lastElementChild?.before(may(boxes));
  return form.element;
}

/** @param {HTMLInputElement[]} boxes */
function may(boxes) {
  const labels = boxes.map((box) => {
    const key = /** @type {Key} */ (`account.scope.${box.value}`);
    return element("label", { class: "check" }, box, element("span", { key }));
  });
  return element("fieldset", {}, element("legend", { key: "account.keyScopes" }), ...labels);
}

/**
 * @param {string} days
 * @returns {readonly [value: string, key: Key, values: Values]}
 */
export function lasting(days) {
  return [days, days ? "account.days" : "account.forEver", { count: Number(days) }];
}

/**
 * @param {ApiKey[]} found
 * @param {() => Promise<void>} show
 */
function rows(found, show) {
  if (found.length === 0) return [element("p", { class: "hint", key: "account.noKeys" })];
  return found.map((each) => row(each, show));
}

/**
 * @param {ApiKey} key
 * @param {() => Promise<void>} show
 */
function row({ id, name, scopes, expires_at, used_at }, show) {
  const revoke = element("button", { type: "button", class: "plain danger", key: "account.revoke" });
  revoke.setAttribute("aria-describedby", `key-${id}`);
  does(revoke, async () => {
    if (!(await confirmed("account.revokeTitle", "account.revokeText", "account.revoke", { name }))) {
      return;
    }
    await call("DELETE", `me/keys/${id}`);
    await show();
  });
  const tags = scopes.map((scope) =>
    element("span", { class: "tag", key: /** @type {Key} */ (`account.scope.${scope}`) }),
  );
  return element(
    "div",
    { class: "item" },
    element(
      "div",
      {},
      element("p", { id: `key-${id}` }, element("strong", {}, name), " ", ...tags),
      element("p", { class: "hint" }, ...facts(expires_at, used_at)),
    ),
    revoke,
  );
}

/**
 * @param {string | null} expires
 * @param {string | null} used
 */
function facts(expires, used) {
  const end = expires
    ? [element("span", { key: "account.until" }), " ", dateOf(expires)]
    : [element("span", { key: "account.forEver" })];
  const last = used
    ? [element("span", { key: "account.used" }), " ", dateOf(used, "minute")]
    : [element("span", { key: "account.unused" })];
  return [...end, " · ", ...last];
}
