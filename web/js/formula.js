/**
 * Formulas: TeX drawn as MathML, which the browser sets itself and screen readers read.
 * (HTML out of KaTeX lives on inline styles, which the page's policy forbids, and on fonts.)
 */

import "../vendor/katex.js";

// The build is a classic script: it leaves its one name on the global object.
const { katex } = /** @type {{katex: typeof import("../vendor/katex.js")}} */ (
  /** @type {unknown} */ (globalThis)
);

/** Nobody writes a longer one on purpose. */
const MOST_CHARACTERS = 4000;

/** Nothing may be loaded, linked or styled from inside a formula, nor grow without end. */
const OPTIONS = {
  output: /** @type {const} */ ("mathml"),
  trust: false,
  strict: false,
  maxExpand: 500,
  maxSize: 20,
};

/**
 * Put a formula in the place of its source; what is no TeX stays as it was written.
 * @param {Element} code
 * @param {Writer} write
 */
export function draw(code, write) {
  const tex = code.textContent ?? "";
  const pre = code.parentElement?.localName === "pre" ? code.parentElement : undefined;
  if (tex.length > MOST_CHARACTERS) return;
  const drawn = document.createElement(pre ? "div" : "span");
  drawn.className = pre ? "formula scroll" : "formula";
  try {
    write(drawn, katex.renderToString(tex, { ...OPTIONS, displayMode: Boolean(pre) }));
  } catch {
    return;
  }
  if (drawn.textContent) (pre ?? code).replaceWith(drawn);
}
