/** Addresses of lessons, for the page, for the service and for people. Knows nothing else. */

import { element } from "../element.js";

/**
 * @param {string} path `knowledge/science/physics`
 * @param {string} [how] `edit` for the form
 */
export function addressOfLesson(path, how) {
  return `#/lessons/${how ? `${how}:` : ""}${encoded(path)}`;
}

/**
 * A path for people, which is broken behind a slash where it is too long for its line.
 * @param {string} path
 */
export function shownPath(path) {
  const made = element("p", { class: "path" });
  for (const part of path.split(/(?<=\/)/)) made.append(part, element("wbr"));
  return made;
}

/** @param {string} path */
export function endpointOf(path) {
  return `lessons/${encoded(path)}`;
}

/** @param {string} path */
function encoded(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}
