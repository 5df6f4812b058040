/**
 * Loads the page, again where the line broke meanwhile: a telephone that changes its network
 * drops all that it was fetching.
 */

const ATTEMPTS = 5;
const PAUSE_MS = 1000;

/** @param {number} attempt */
function start(attempt) {
  import("./main.js").catch((error) => {
    if (attempt === ATTEMPTS) reportError(error);
    else window.setTimeout(start, PAUSE_MS, attempt + 1);
  });
}

start(1);

export {};
