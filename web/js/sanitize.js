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

const CONFIG = {
  ALLOWED_TAGS: `${BLOCKS} ${SPANS}`.split(" "),
  ALLOWED_ATTR: ["href", "target", "rel", "start", "align", "class"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  ADD_URI_SAFE_ATTR: ["start", "align"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

const ALLOWED_CLASS = /^(?:scroll|language-[\w+#.-]+)$/;

/** @param {Element} element */
function closeOpenEnds(element) {
  if (element.hasAttribute("class") && !ALLOWED_CLASS.test(element.className)) {
    element.removeAttribute("class");
  }
  if (element.localName === "a") {
    element.setAttribute("target", "_blank");
    element.setAttribute("rel", "noopener noreferrer");
  }
}

/**
 * Make the function that fills an element with HTML of a model.
 * To be called once: the policy's name is taken from then on.
 * @returns {Writer}
 */
export function createWriter() {
  DOMPurify.addHook("afterSanitizeAttributes", closeOpenEnds);
  /** @param {string} html */
  const createHTML = (html) => DOMPurify.sanitize(html, CONFIG);
  const policy = trustedTypes?.createPolicy("tiza", { createHTML }) ?? { createHTML };
  return (element, html) => {
    element.innerHTML = /** @type {string} */ (/** @type {unknown} */ (policy.createHTML(html)));
  };
}
