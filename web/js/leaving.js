/**
 * What this browser keeps of a reader goes when they leave: the next one at the same screen
 * finds no words of theirs. Done when the page loads again, so that nothing is written behind
 * it; therefore loaded before anything reads what is kept. Knows nothing of the service.
 */

import { Store } from "./store.js";

const PREFIX = "tiza.";

/** How the page looks is the screen's rather than the reader's. */
const STAYS = ["language", "theme", "size"].map((name) => PREFIX + name);

const tab = new Store(() => sessionStorage);

/**
 * Load the page again as if nobody had been here.
 * @param {string} fragment where
 */
export function leaveNothing(fragment) {
  tab.write("left", true);
  loadAgain(fragment);
}

/**
 * Load the page again: somebody else reads it, and the address must not lead back.
 * @param {string} fragment where
 */
export function loadAgain(fragment) {
  location.replace(fragment);
  location.reload();
}

/** @param {() => Storage} open */
function clear(open) {
  try {
    const area = open();
    for (const name of Object.keys(area)) {
      if (name.startsWith(PREFIX) && !STAYS.includes(name)) area.removeItem(name);
    }
  } catch {
    // what may not be read was not written
  }
}

if (tab.read("left") === true) {
  clear(() => sessionStorage);
  clear(() => localStorage);
}
