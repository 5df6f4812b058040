/**
 * The last step before HTML of a model reaches the document, and the only one that
 * may put it there: DOMPurify inside the Trusted Types policy `tiza`.
 * Knows nothing of Markdown.
 */

import "../vendor/purify.js";

/** @typedef {import("trusted-types/lib/index.js").TrustedTypePolicyFactory} PolicyFactory */

// The small build is a classic script: it leaves its one name on the global object.
const { DOMPurify, trustedTypes } =
  /** @type {{DOMPurify: typeof import("../vendor/purify.js").default, trustedTypes?: PolicyFactory}} */ (
    /** @type {unknown} */ (globalThis)
  );

const BLOCKS = "p br hr h4 h5 h6 blockquote pre ul ol li div table thead tbody tr th td";
const SPANS = "a code strong em b i u s del ins mark small sub sup kbd q";

const MARKDOWN = {
  ALLOWED_TAGS: `${BLOCKS} ${SPANS}`.split(" "),
  ALLOWED_ATTR: ["href", "target", "rel", "start", "align", "class"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  ADD_URI_SAFE_ATTR: ["start", "align"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

const CODE = {
  ALLOWED_TAGS: ["span"],
  ALLOWED_ATTR: ["class"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

const SIGNS = "math mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle merror mpadded mphantom";
const PLACES = "msub msup msubsup munder mover munderover mtable mtr mtd menclose";

const FORMULA = {
  ALLOWED_TAGS: `${SIGNS} ${PLACES}`.split(" "),
  ALLOWED_ATTR: (
    "display displaystyle scriptlevel mathvariant mathcolor mathbackground mathsize stretchy " +
    "fence separator lspace rspace minsize maxsize width height depth voffset linethickness " +
    "columnalign rowalign columnspacing rowspacing columnlines rowlines accent accentunder " +
    "notation movablelimits symmetric largeop"
  ).split(" "),
  // The source of a formula stands beside it in what KaTeX writes.
  FORBID_CONTENTS: ["annotation", "annotation-xml", "script", "style", "svg"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

const ALLOWED_CLASS = /^(?:scroll|language-[\w+#.-]+|hljs-[\w-]+(?: [\w-]+_)*)$/;

/** @param {Element} element */
function closeOpenEnds(element) {
  if (element.hasAttribute("class") && !ALLOWED_CLASS.test(element.getAttribute("class") ?? "")) {
    element.removeAttribute("class");
  }
  if (element.localName === "a") {
    element.setAttribute("target", "_blank");
    element.setAttribute("rel", "noopener noreferrer");
  }
}

DOMPurify.addHook("afterSanitizeAttributes", closeOpenEnds);

/** @param {string} html @param {typeof MARKDOWN | typeof CODE | typeof FORMULA} config */
const createHTML = (html, config) => DOMPurify.sanitize(html, config);
const policy = trustedTypes?.createPolicy("tiza", { createHTML }) ?? { createHTML };

/** @param {typeof MARKDOWN | typeof CODE | typeof FORMULA} config @returns {Writer} */
const writer = (config) => (element, html) => {
  element.innerHTML = /** @type {string} */ (
    /** @type {unknown} */ (policy.createHTML(html, config))
  );
};

/** Fill an element with HTML out of what a model or a lesson says, as little as its kind needs. */
export const write = {
  markdown: writer(MARKDOWN),
  /** Code with its words coloured. */
  code: writer(CODE),
  /** MathML. */
  formula: writer(FORMULA),
};
