/**
 * What a finished block of an answer gets besides its text: a button that copies code,
 * colours for code and a drawing for formulas, both fetched when they are first needed, and
 * a way to scroll by keyboard what is too wide. Knows nothing of Markdown.
 */

import { announcer } from "./announcer.js";
import { copy } from "./clipboard.js";
import { copyOf, find } from "./dom.js";
import { write } from "./sanitize.js";
import { translator } from "./words.js";

const COPIED_MS = 2000;

/** @param {Element} block safe HTML of one block */
export function finishBlock(block) {
  for (const code of block.querySelectorAll("pre > code")) finishCode(code);
  for (const code of block.querySelectorAll("code.language-math")) {
    import("./formula.js").then(({ draw }) => draw(code, write.formula), () => {});
  }
  requestAnimationFrame(() => makeScrollable(block));
}

/** @param {Element} code */
function finishCode(code) {
  const language = /^language-(.+)$/.exec(code.className)?.[1] ?? "";
  const pre = code.parentElement;
  if (!pre || language === "math") return;
  const frame = copyOf("code");
  frame.dataset["language"] = language;
  pre.replaceWith(frame);
  frame.append(pre);
  translator.translate(frame);
  const button = find(frame, "button", HTMLButtonElement);
  button.addEventListener("click", () => copyCode(code, button));
  if (language) import("./colours.js").then(({ colour }) => colour(code, language, write.code), () => {});
}

/**
 * @param {Element} code
 * @param {HTMLButtonElement} button
 */
async function copyCode(code, button) {
  if (!(await copy((code.textContent ?? "").replace(/\n$/, "")))) return;
  announcer.say(translator.text("answer.copied"));
  translator.name(button, "answer.copied");
  window.setTimeout(() => translator.name(button, "code.copy"), COPIED_MS);
}

/** @param {Element} block */
function makeScrollable(block) {
  for (const element of block.querySelectorAll("pre, .scroll")) {
    if (element instanceof HTMLElement && element.scrollWidth > element.clientWidth) {
      element.tabIndex = 0;
    }
  }
}
