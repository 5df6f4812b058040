/** Who one is here: the name, signing out, another password. */

import { announcer } from "../announcer.js";
import { element } from "../element.js";
import { Form } from "../form.js";
import { leaveNothing } from "../leaving.js";
import { call } from "../server.js";
import { does, section, words } from "./section.js";

/** @param {Who} reader */
export function session(reader) {
  if (reader.signedIn) return section("you", whoAmI(reader), ways(), ...password(reader));
  return section("nobody");
}

/** @param {Who} reader */
function whoAmI({ name, role }) {
  return element(
    "p",
    { class: "who" },
    element("strong", {}, name),
    element("span", { class: "tag", key: `account.role.${role}` }),
  );
}

function ways() {
  const out = element("button", { type: "button", class: "plain", key: "account.signOut" });
  const everywhere = element("button", {
    type: "button",
    class: "plain",
    key: "account.signOutEverywhere",
  });
  does(out, () => leave("auth/sign-out"));
  does(everywhere, () => leave("auth/sign-out?everywhere=true"));
  return element("div", { class: "buttons" }, out, everywhere);
}

/** @param {string} path */
async function leave(path) {
  await call("POST", path);
  leaveNothing("#/sign-in");
}

/**
 * Who comes by the school's page has no password here.
 * @param {Who} reader
 */
function password({ mode, name }) {
  if (mode !== "accounts") return [];
  const user = element("input", { name: "username", autocomplete: "username", hidden: true });
  user.value = name;
  const old = secret("current-password");
  const next = secret("new-password");
  const form = new Form(
    {
      password: { label: "account.oldPassword", input: old },
      new_password: { label: "account.newPassword", input: next, hint: "account.passwordHint" },
    },
    "account.changePassword",
    async (values) => {
      await call("PUT", "me/password", values);
      form.element.reset();
      part.open = false;
      announcer.say(words("account.passwordChanged"));
    },
    "plain",
  );
  form.element.prepend(user);
  const part = element("details", {}, element("summary", { key: "account.changePassword" }), form.element);
  return [part];
}

/** @param {string} kind */
function secret(kind) {
  return element("input", { type: "password", name: kind, autocomplete: kind, required: true });
}
