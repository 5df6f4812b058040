/**
 * What a model writes, as Markdown: where it can be cut, and the HTML it means.
 * The HTML is not yet safe: sanitize.js comes after. Knows nothing of the document.
 */

import { Lexer, Marked, Parser, Renderer } from "../vendor/marked.js";

const LINK_PROTOCOLS = ["http:", "https:", "mailto:"];

/** Tags that mean something in an answer and carry nothing but text. */
const PLAIN_TAG = /^<\/?(?:br|b|i|u|s|em|strong|del|ins|mark|small|sub|sup|kbd|q)\s*\/?>$/i;

/** Headings of an answer stand below the page's own three levels; few begin with the first. */
const HEADING_LEVELS = [4, 4, 5, 6, 6, 6];

/** @param {string} text */
function escape(text) {
  return text
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;");
}

/**
 * @param {string} href
 * @returns {string | null} the absolute address, where it may be opened
 */
function openable(href) {
  try {
    const url = new URL(href);
    return LINK_PROTOCOLS.includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/**
 * @param {string} href
 * @param {string} html
 */
function link(href, html) {
  const url = openable(href);
  return url
    ? `<a href="${escape(url)}" target="_blank" rel="noopener noreferrer">${html}</a>`
    : html;
}

class AnswerRenderer extends Renderer {
  /** @override @param {Tokens<"Heading">} token */
  heading({ tokens, depth }) {
    const level = HEADING_LEVELS[depth - 1];
    return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
  }

  /** @override @param {Tokens<"Link">} token */
  link({ href, tokens }) {
    return link(href, this.parser.parseInline(tokens));
  }

  /**
   * Nothing is loaded from elsewhere: a picture is a link to itself.
   * @override @param {Tokens<"Image">} token
   */
  image({ href, text }) {
    return link(href, escape(text || href));
  }

  /**
   * HTML that is not plain was meant to be seen: a lesson on HTML, code without a fence.
   * @override @param {Tokens<"Markup">} token
   */
  html({ text, block }) {
    const tags = text.match(/<[^>]*>?/g) ?? [];
    if (tags.every((tag) => PLAIN_TAG.test(tag))) return text;
    return block ? `<pre><code>${escape(text.trimEnd())}</code></pre>\n` : escape(text);
  }

  /** @override @param {Tokens<"Checkbox">} token */
  checkbox({ checked }) {
    return checked ? "☑ " : "☐ ";
  }

  /** @override @param {Tokens<"Table">} token */
  table(token) {
    return `<div class="scroll">${super.table(token)}</div>\n`;
  }
}

/**
 * What stands between the marks of a formula is no Markdown. The TeX goes on as code in the
 * language `math`, so it can be read where nothing draws it.
 * @param {string} tex
 * @param {boolean} display
 */
function formula(tex, display) {
  const code = `<code class="language-math">${escape(tex.trim())}</code>`;
  return display ? `<pre>${code}</pre>\n` : code;
}

/** A price is none: a formula touches its marks, and no figure follows. */
const INLINE_FORMULA = /^(?:\$\$([^$\n]+)\$\$|\$(?!\s)([^$\n]*[^\s$\\])\$(?!\d)|\\\(([^\n]+?)\\\))/;

/** Up to its end, or as far as it has come: nothing in it may be taken for a list. */
const BLOCK_FORMULA = /^ {0,3}(?:\$\$((?:(?!\n\s*\n|\$\$)[^])*)(?:\$\$|$)|\\\[((?:(?!\n\s*\n|\\\])[^])*)(?:\\\]|$))[ \t]*(?:\n|$)/;

/** @param {string} text @param {RegExp} marks */
function beginning(text, marks) {
  const at = text.search(marks);
  return at < 0 ? undefined : at;
}

const { extensions = null } = new Marked({
  extensions: [
    {
      name: "formula",
      level: "inline",
      start: (text) => beginning(text, /\$|\\\(/),
      tokenizer: (text) => {
        const found = INLINE_FORMULA.exec(text);
        if (!found) return;
        return { type: "formula", raw: found[0], text: found[1] ?? found[2] ?? found[3] ?? "" };
      },
      renderer: (token) => formula(token["text"], false),
    },
    {
      name: "formulas",
      level: "block",
      start: (text) => beginning(text, /(?:^|\n) {0,3}(?:\$\$|\\\[)/),
      tokenizer: (text) => {
        const found = BLOCK_FORMULA.exec(text);
        if (!found) return;
        return { type: "formulas", raw: found[0], text: found[1] ?? found[2] ?? "" };
      },
      renderer: (token) => formula(token["text"], true),
    },
  ],
}).defaults;

const OPTIONS = { gfm: true, breaks: true, renderer: new AnswerRenderer(), extensions };

/**
 * @param {Token[]} tokens
 * @returns {string} HTML that still has to be sanitised
 */
export function toHtml(tokens) {
  try {
    return Parser.parse(tokens, OPTIONS);
  } catch {
    return Parser.parse([asWritten(tokens.map(({ raw }) => raw).join(""))], OPTIONS);
  }
}

/**
 * @param {string} text
 * @returns {Token[]}
 */
export function blocks(text) {
  try {
    return Lexer.lex(text, OPTIONS);
  } catch {
    return [asWritten(text)];
  }
}

/**
 * A model that loops writes marks within marks, thousands deep: too deep to be parsed.
 * @param {string} text
 * @returns {Token}
 */
function asWritten(text) {
  return { type: "code", raw: text, text };
}

/** A last line of which nobody can tell yet what it will be: a list, a heading, a table. */
const UNDECIDED =
  /(?:^|\n)(?:\|(?![ \t:|-]+(?:\n|$))[^\n]*(?:\n[ \t:|-]*)?|[ \t]*(?:[-=*_+#>`~]+|\d{1,9}[.)]?)[ \t]*)$/;

/** So many items of a list may be drawn again and again; of more, the first are finished. */
const MOST_ITEMS = 60;
const KEPT_ITEMS = 20;

/**
 * Cut growing text after its last finished block. Text that is still to come can
 * change the last block only.
 * @param {string} text
 * @returns {{finished: Token[], rest: string}}
 */
export function split(text) {
  const tokens = blocks(text.replace(UNDECIDED, ""));
  const last = tokens.findLastIndex((token) => token.type !== "space");
  const finished = tokens.slice(0, Math.max(last, 0));
  const growing = tokens[last];
  if (growing && isLongList(growing)) finished.push(beginningOf(growing));
  const source = finished.map((token) => token.raw).join("");
  if (!text.startsWith(source)) return { finished: [], rest: text };
  return { finished, rest: text.slice(source.length) };
}

/**
 * @param {Token} token
 * @returns {token is Tokens<"List">}
 */
function isLongList(token) {
  return token.type === "list" && token["items"].length > MOST_ITEMS;
}

/**
 * @param {Tokens<"List">} list
 * @returns {Tokens<"List"> & {cut: true}} all of it but the last items
 */
function beginningOf(list) {
  const items = list.items.slice(0, -KEPT_ITEMS);
  return { ...list, cut: true, items, raw: items.map(({ raw }) => raw).join("") };
}

/**
 * A block that is still being written, as it may be shown: without the line that is
 * still undecided, and with open marks closed, so that nothing flickers.
 * @param {string} text
 */
export function preview(text) {
  const holdsCode = /^[ \t]*(?:```|~~~)/m.test(text);
  return holdsCode ? text : closed(text.replace(UNDECIDED, ""));
}

/** @param {string} text */
function closed(text) {
  const start = text.lastIndexOf("\n") + 1;
  const line = text.slice(start).replace(/!?\[([^\]\n]*)\]\([^)\n]*$/, "$1");
  return text.slice(0, start) + closedMarks(line.trimEnd());
}

/** @param {string} line */
function closedMarks(line) {
  const ticks = line.match(/`/g) ?? [];
  if (ticks.length % 2) return line.endsWith("`") ? line.slice(0, -1) : `${line}\``;
  const open = line.replace(/`[^`]*`/g, "").replace(/\*\*\S(?:.*?\S)?\*\*/g, "");
  if (open.endsWith("*")) return closedMarks(line.replace(/\*+$/, ""));
  return /\*\*\S/.test(open) ? `${line}**` : line;
}
