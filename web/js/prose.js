/**
 * Markdown that grows on the screen: finished blocks are frozen, the last one is
 * drawn again at most once a frame. Knows nothing of where the text comes from.
 */

import { finishBlock } from "./block.js";
import { blocks, preview, split, toHtml } from "./markdown.js";

export class Prose {
  #element;
  #tools;
  #rest = "";
  #frame = 0;
  #live = document.createElement("div");

  /**
   * @param {Element} element
   * @param {BlockTools} tools
   */
  constructor(element, tools) {
    this.#element = element;
    this.#tools = tools;
    this.clear();
  }

  clear() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#rest = "";
    this.#live = document.createElement("div");
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
    this.#frame = 0;
    const { finished, rest } = split(this.#rest);
    this.#freeze(finished);
    this.#rest = rest;
    this.#tools.write.markdown(this.#live, toHtml(blocks(preview(rest))));
  }

  /** @param {Token[]} tokens */
  #freeze(tokens) {
    for (const token of tokens.filter(({ type }) => type !== "space")) {
      const block = document.createElement("div");
      this.#tools.write.markdown(block, toHtml([token]));
      this.#live.before(block);
      finishBlock(block, this.#tools);
    }
  }
}
