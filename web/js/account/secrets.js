/** A text that is shown once, with a button that copies it. */

import { announcer } from "../announcer.js";
import { copy } from "../clipboard.js";
import { element } from "../element.js";
import { words } from "./section.js";

/**
 * @param {Key} label
 * @param {string} text
 */
export function shownOnce(label, text) {
  const field = element("input", { class: "secret", readonly: true, label, value: text });
  const button = element("button", { type: "button", class: "plain", key: "account.copy" });
  button.addEventListener("click", async () => {
    if (await copy(text)) announcer.say(words("account.copied"));
    else field.select();
  });
  field.addEventListener("focus", () => field.select());
  const note = element("p", { key: "account.once" });
  const part = element("div", { class: "once" }, note, element("div", { class: "pair" }, field, button));
  queueMicrotask(() => field.focus());
  return part;
}
