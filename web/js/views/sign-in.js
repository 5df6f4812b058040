/**
 * The ways in: by name and password, by the school's own page, with an invitation, and with
 * a link that sets a password. Whoever is in goes where they wanted to go.
 */

import { element } from "../element.js";
import { Form } from "../form.js";
import { leaveNothing, loadAgain } from "../leaving.js";
import { call } from "../server.js";
import { Store } from "../store.js";
import { wayBack, who } from "../who.js";
import { translator } from "../words.js";

const kept = new Store(() => localStorage);

/**
 * @param {HTMLElement} host
 * @param {string} rest `invitation=…` or `password=…` where a link led here
 */
export async function open(host, rest) {
  const [, reader] = await Promise.all([translator.load("sign-in"), who()]);
  const [kind, token = ""] = rest.split("=", 2);
  const card = element("section", { class: "card", "aria-labelledby": "sign-in" });
  if (reader.mode === "open") card.append(...nobodySignsIn());
  else if (kind === "invitation") card.append(...invited(token));
  else if (kind === "password") card.append(...newPassword(token));
  else if (reader.signedIn) card.append(...alreadyIn(reader));
  else card.append(...ways(reader));
  host.append(element("div", { class: "sign-in" }, card));
  return () => {};
}

/**
 * @param {Key} title
 * @param {Key} text
 * @param {Values} [values]
 */
function head(title, text, values = {}) {
  return [element("h2", { id: "sign-in", key: title }), element("p", { key: text, values })];
}

function nobodySignsIn() {
  return [...head("sign-in.open", "sign-in.openText"), toChat()];
}

/** @param {Who} reader */
function alreadyIn({ name }) {
  return [...head("sign-in.already", "sign-in.alreadyText", { name }), toChat()];
}

function toChat() {
  return element("a", { class: "primary", href: "#/", key: "sign-in.toChat" });
}

/** @param {Who} reader */
function ways({ signIn }) {
  if (!signIn) return [...head("sign-in.title", "sign-in.text"), byPassword().element];
  return [
    ...head("sign-in.title", "sign-in.schoolText"),
    element("a", { class: "primary", href: signIn, key: "sign-in.school" }),
    element(
      "details",
      {},
      element("summary", { key: "sign-in.withPassword" }),
      byPassword("plain").element,
    ),
  ];
}

/** @param {string} [kind] */
function byPassword(kind) {
  const fields = { name: nameField(), password: passwordField("current-password") };
  return new Form(fields, "sign-in.enter", (values) => enter("auth/sign-in", values), kind);
}

/** @param {string} token */
function invited(token) {
  const fields = {
    name: { ...nameField(), hint: /** @type {Key} */ ("sign-in.nameHint") },
    password: newPasswordField(),
  };
  const form = new Form(fields, "sign-in.join", (values) =>
    enter("auth/join", { token, ...values }),
  );
  return [...head("sign-in.invited", "sign-in.invitedText"), form.element];
}

/** @param {string} token */
function newPassword(token) {
  const form = new Form({ password: newPasswordField() }, "sign-in.set", (values) =>
    enter("auth/reset", { token, ...values }),
  );
  return [...head("sign-in.newPassword", "sign-in.newPasswordText"), form.element];
}

/** @returns {FieldSpec} */
function nameField() {
  const input = element("input", {
    name: "name",
    required: true,
    autocomplete: "username",
    autocapitalize: "none",
    spellcheck: "false",
    maxlength: 64,
  });
  return { label: "sign-in.name", input };
}

/**
 * @param {string} kind as browsers' password managers know it
 * @returns {FieldSpec}
 */
function passwordField(kind) {
  const input = element("input", {
    type: "password",
    name: kind,
    required: true,
    autocomplete: kind,
  });
  return { label: "sign-in.password", input };
}

/** @returns {FieldSpec} */
function newPasswordField() {
  return { ...passwordField("new-password"), hint: "sign-in.passwordHint" };
}

/**
 * Begin a session, and the page anew: it may still have words of somebody else.
 * @param {string} path
 * @param {object} values
 */
async function enter(path, values) {
  const { name } = await call("POST", path, values);
  const before = kept.read("reader");
  const back = wayBack();
  kept.write("reader", name);
  if (before === null || before === name) loadAgain(back);
  else leaveNothing(back);
}
