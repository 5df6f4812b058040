/**
 * Speaks to screen readers, politely: each remark is a new paragraph in a live region,
 * so that none cuts off the one before. Knows nothing of what is said.
 */

import { find } from "./dom.js";

const KEPT_REMARKS = 20;

class Announcer {
  #region;

  /** @param {HTMLElement} region */
  constructor(region) {
    this.#region = region;
  }

  /** @param {string} remark */
  say(remark) {
    if (!remark) return;
    const paragraph = document.createElement("p");
    paragraph.textContent = remark;
    this.#region.append(paragraph);
    if (this.#region.childElementCount > KEPT_REMARKS) this.#region.firstElementChild?.remove();
  }
}

export const announcer = new Announcer(find(document, "#announcements", HTMLElement));
