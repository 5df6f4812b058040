/**
 * Markdown that grows on the screen: finished blocks are frozen, the last one is drawn
 * again at most once a frame, and less often where drawing it takes long. Knows nothing of
 * where the text comes from.
 */

import { finishBlock } from "./block.js";
import { blocks, preview, split, toHtml } from "./markdown.js";
import { write } from "./sanitize.js";

/** Of the time that drawing takes, so much is left to everything else afterwards. */
const REST = 3;
const QUICK_MS = 8;

export class Prose {
  #element;
  #rest = "";
  #frame = 0;
  /** Before then the last block is not drawn again. */
  #restUntil = 0;
  #live = growing();

  /** @param {Element} element */
  constructor(element) {
    this.#element = element;
    this.clear();
  }

  clear() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#rest = "";
    this.#live = growing();
    this.#element.replaceChildren(this.#live);
  }

  /** @param {string} text */
  append(text) {
    this.#rest += text.replaceAll("\r", "");
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  /**
   * Nothing more will come.
   * @param {boolean} whole what was held back then means what it says; in a text that
   *   was cut off it never came to mean anything
   */
  finish(whole) {
    cancelAnimationFrame(this.#frame);
    this.#freeze(blocks(whole ? this.#rest : preview(this.#rest)));
    this.#rest = "";
    this.#live.remove();
  }

  #draw() {
    const begun = performance.now();
    if (begun < this.#restUntil) {
      this.#frame = requestAnimationFrame(() => this.#draw());
      return;
    }
    this.#frame = 0;
    const { finished, rest } = split(this.#rest);
    this.#freeze(finished);
    this.#rest = rest;
    write.markdown(this.#live, toHtml(blocks(preview(rest))));
    const took = performance.now() - begun;
    this.#restUntil = took > QUICK_MS ? performance.now() + REST * took : 0;
  }

  /** @param {Token[]} tokens */
  #freeze(tokens) {
    for (const token of tokens.filter(({ type }) => type !== "space")) {
      const block = document.createElement("div");
      write.markdown(block, toHtml([token]));
      if ("cut" in token) block.dataset["cut"] = "";
      this.#live.before(block);
      finishBlock(block);
    }
  }
}

/**
 * A text that is whole, as Markdown.
 * @param {string} text
 * @param {string} language of the text; empty where nobody knows
 */
export function proseOf(text, language) {
  const element = document.createElement("div");
  element.className = "prose";
  element.lang = language;
  const prose = new Prose(element);
  prose.append(text);
  prose.finish(true);
  return element;
}

/** The block that is being written. It is marked: to style it as the last one costs all others. */
function growing() {
  const block = document.createElement("div");
  block.dataset["live"] = "";
  return block;
}
