/** Other people: invitations for a class, by teachers; all accounts, for admins. */

import { announcer } from "../announcer.js";
import { dateOf } from "../dates.js";
import { element } from "../element.js";
import { choice, Form } from "../form.js";
import { call } from "../server.js";
import { lasting } from "./keys.js";
import { shownOnce } from "./secrets.js";
import { attempt, does, filled, section, words } from "./section.js";

const ROLES = ["student", "teacher", "admin"];

/** @param {Who} reader */
export function people(reader) {
  const admin = reader.role === "admin";
  return [invitations(admin), ...(admin ? [accounts(reader.name)] : [])];
}

/** @param {boolean} admin may invite others than students */
function invitations(admin) {
  const list = element("div", { class: "list" });
  const made = element("div");
  const show = () => filled(list, async () => open(await call("GET", "invitations"), show));
  show();
  const form = invitation(admin, async (body) => {
    const { link } = await call("POST", "invitations", body);
    made.replaceChildren(shownOnce("account.link", link));
    await show();
  });
  const part = element("details", {}, element("summary", { key: "account.invite" }), form);
  return section("invitations", list, made, part);
}

/**
 * @param {boolean} admin
 * @param {(body: object) => Promise<void>} send
 */
function invitation(admin, send) {
  const label = element("input", { maxlength: 64, autocomplete: "off" });
  const uses = element("input", { type: "number", min: 1, max: 1000, value: 30, required: true });
  const days = choice(["1", "7", "14", "30", "90"].map(lasting), "14");
  const form = new Form(
    {
      label: { label: "account.class", input: label, hint: "account.classHint" },
      uses: { label: "account.uses", input: uses },
      days: { label: "account.linkDays", input: days },
      ...(admin && { role: { label: /** @type {Key} */ ("account.role"), input: roles("student") } }),
    },
    "account.makeLink",
    async (values) => {
      const numbers = { uses: Number(values["uses"]), days: Number(values["days"]) };
      await send({ ...values, ...numbers });
    },
    "plain",
  );
  return form.element;
}

/**
 * @param {string} chosen
 * @param {Features} [features]
 */
function roles(chosen, features) {
  const options = ROLES.map(
    (role) => /** @type {const} */ ([role, /** @type {Key} */ (`account.role.${role}`)]),
  );
  return choice(options, chosen, features);
}

/**
 * @param {Invitation[]} found
 * @param {() => Promise<void>} show
 */
function open(found, show) {
  if (found.length === 0) return [element("p", { class: "hint", key: "account.noLinks" })];
  return found.map(({ id, label, role, uses_left, expires_at }) => {
    const back = element("button", { type: "button", class: "plain danger", key: "account.takeBack" });
    back.setAttribute("aria-describedby", `link-${id}`);
    does(back, async () => {
      await call("DELETE", `invitations/${id}`);
      await show();
    });
    const name = label ? element("strong", {}, label) : element("strong", { key: "account.noClass" });
    const left = element("span", { key: "account.usesLeft", values: { count: uses_left } });
    const facts = [left, " · ", element("span", { key: "account.until" }), " ", dateOf(expires_at)];
    const tag = element("span", { class: "tag", key: /** @type {Key} */ (`account.role.${role}`) });
    return element(
      "div",
      { class: "item" },
      element(
        "div",
        {},
        element("p", { id: `link-${id}` }, name, " ", tag),
        element("p", { class: "hint" }, ...facts),
      ),
      back,
    );
  });
}

/** @param {string} own the admin's name, who does not shut themselves out by mistake */
function accounts(own) {
  const table = element("div", { class: "scroll", tabindex: 0, role: "group", label: "account.accounts" });
  const made = element("div");
  const show = () =>
    filled(table, async () => [tableOf(await call("GET", "users"), own, made, show)]);
  show();
  return section("accounts", made, table);
}

/**
 * @param {User[]} users
 * @param {string} own
 * @param {HTMLElement} made where a link is shown
 * @param {() => Promise<void>} show
 */
function tableOf(users, own, made, show) {
  /** @type {Key[]} */
  const titles = ["account.name", "account.role", "account.joined", "account.actions"];
  const head = element("tr", {}, ...titles.map((key) => element("th", { scope: "col", key })));
  const rows = users.map((user) => {
    const actions = user.name === own ? [] : [reset(user, made), shutOut(user, show)];
    return element(
      "tr",
      { class: user.disabled ? "out" : "in" },
      element("th", { scope: "row" }, user.name),
      element("td", {}, user.name === own ? tag(user) : roleOf(user)),
      element("td", {}, dateOf(user.created_at)),
      element("td", {}, element("div", { class: "buttons" }, ...actions)),
    );
  });
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
}

/** @param {User} user */
function tag({ role }) {
  return element("span", { class: "tag", key: /** @type {Key} */ (`account.role.${role}`) });
}

/** @param {User} user */
function roleOf({ name, role }) {
  const select = roles(role, { label: "account.role" });
  let kept = role;
  select.addEventListener("change", async () => {
    await attempt(select, async () => {
      kept = (await call("PATCH", address(name), { role: select.value })).role;
      announcer.say(words("account.changed"));
    });
    select.value = kept;
  });
  return select;
}

/**
 * @param {User} user
 * @param {HTMLElement} made
 */
function reset({ name }, made) {
  const button = element("button", { type: "button", class: "plain", key: "account.reset" });
  return does(button, async () => {
    const { link } = await call("POST", `${address(name)}/reset`);
    made.replaceChildren(shownOnce("account.link", link));
  });
}

/**
 * @param {User} user
 * @param {() => Promise<void>} show
 */
function shutOut({ name, disabled }, show) {
  const key = disabled ? "account.letIn" : "account.shutOut";
  const button = element("button", { type: "button", class: "plain", key });
  return does(button, async () => {
    await call("PATCH", address(name), { disabled: !disabled });
    await show();
  });
}

/** @param {string} name */
function address(name) {
  return `users/${encodeURIComponent(name)}`;
}
