/**
 * A remark at the edge of the page, with one thing that can be done about it; it goes by
 * itself, but not under the reader's hand. Knows nothing of what it says.
 */

import { find } from "./dom.js";
import { translator } from "./words.js";

const STAYS_MS = 8000;

/** @type {{over: () => void} | undefined} */
let current;

/**
 * @param {Key} key
 * @param {Values} [values]
 * @param {{offer: Key, take: () => void, pass: () => void}} [choice] what can be done about it,
 *   and what happens once nobody did; a remark that follows ends the wait
 */
export function say(key, values = {}, choice) {
  current?.over();
  const toast = find(document, "#toast", HTMLElement);
  const button = find(toast, "button", HTMLButtonElement);
  const controller = new AbortController();
  const { signal } = controller;
  let timer = 0;
  /** @param {() => void} [act] */
  const end = (act) => {
    if (signal.aborted) return;
    controller.abort();
    window.clearTimeout(timer);
    current = undefined;
    toast.hidden = true;
    act?.();
  };
  const wait = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => end(choice?.pass), STAYS_MS);
  };
  translator.set(find(toast, "p", HTMLElement), key, values);
  button.hidden = !choice;
  if (choice) translator.set(button, choice.offer);
  button.addEventListener("click", () => end(choice?.take), { signal });
  for (const sign of ["pointerenter", "focusin"]) {
    toast.addEventListener(sign, () => window.clearTimeout(timer), { signal });
  }
  for (const sign of ["pointerleave", "focusout"]) toast.addEventListener(sign, wait, { signal });
  window.addEventListener("pagehide", () => end(choice?.pass), { signal });
  current = { over: () => end(choice?.pass) };
  toast.hidden = false;
  wait();
}
