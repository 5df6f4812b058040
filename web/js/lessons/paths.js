/** Addresses of lessons, for the page and for the service. Knows nothing else. */

/**
 * @param {string} path `knowledge/science/physics`
 * @param {string} [how] `edit` for the form
 */
export function addressOfLesson(path, how) {
  return `#/lessons/${how ? `${how}:` : ""}${encoded(path)}`;
}

/** @param {string} path */
export function endpointOf(path) {
  return `lessons/${encoded(path)}`;
}

/** @param {string} path */
function encoded(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}
