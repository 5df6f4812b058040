/**
 * Markdown that grows on the screen: finished blocks are frozen, the last one is
 * drawn again at most once a frame. Knows nothing of where the text comes from.
 */

import { blocks, preview, split, toHtml } from "./markdown.js";

export class Prose {
  #element;
  #write;
  #rest = "";
  #frame = 0;
  #live = document.createElement("div");

  /**
   * @param {Element} element
   * @param {Writer} write
   */
  constructor(element, write) {
    this.#element = element;
    this.#write = write;
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
    this.#write(this.#live, toHtml(blocks(preview(rest))));
  }

  /** @param {Token[]} tokens */
  #freeze(tokens) {
    for (const token of tokens.filter(({ type }) => type !== "space")) {
      const block = document.createElement("div");
      this.#write(block, toHtml([token]));
      this.#live.before(block);
      requestAnimationFrame(() => makeScrollable(block));
    }
  }
}

/**
 * What is wider than the screen scrolls in itself, by keyboard as well.
 * @param {Element} block
 */
function makeScrollable(block) {
  for (const element of block.querySelectorAll("pre, .scroll")) {
    if (element instanceof HTMLElement && element.scrollWidth > element.clientWidth) {
      element.tabIndex = 0;
    }
  }
}
