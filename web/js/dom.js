/**
 * Elements of the page by selector, with their types. A missing one is a defect of
 * the page and says which. Knows nothing of what they are for.
 */

/**
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} type
 * @returns {T}
 */
export function find(root, selector, type) {
  const element = root.querySelector(selector);
  if (element instanceof type) return element;
  throw new Error(`The page has no ${type.name} at ${selector}.`);
}

/**
 * A copy of the one element in a template.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function copyOf(id) {
  const { content } = find(document, `template#${id}`, HTMLTemplateElement);
  return /** @type {HTMLElement} */ (find(content, "*", HTMLElement).cloneNode(true));
}
