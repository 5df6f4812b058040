/**
 * Account and settings: a view of sections, each of which knows its own part. Those that
 * need an account are there for whoever has one.
 */

import { answers } from "../account/answers.js";
import { data } from "../account/data.js";
import { keys } from "../account/keys.js";
import { looks } from "../account/looks.js";
import { quota } from "../account/quota.js";
import { session } from "../account/session.js";
import { element } from "../element.js";
import { lookAgain, signInFirst } from "../who.js";
import { translator } from "../words.js";

/** @param {HTMLElement} host */
export async function open(host) {
  const [, reader] = await Promise.all([translator.load("account"), lookAgain()]);
  if (!reader.signedIn && reader.mode !== "open") {
    signInFirst();
    return () => {};
  }
  const body = element("div", { class: "settings" });
  host.append(element("div", { class: "account" }, element("h2", { key: "account.title" }), body));
  body.append(session(reader), looks(), answers(), ...quota(reader));
  if (reader.signedIn) body.append(keys(reader));
  body.append(data(reader));
  if (reader.signedIn && reader.mayTeach) {
    const { people } = await import("../account/people.js");
    body.append(...people(reader));
  }
  return () => {};
}
