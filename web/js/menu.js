/**
 * The menu: which places are open to whoever reads the page, and a drawer that closes when
 * one of them was chosen. Knows nothing of what is there.
 */

import { find } from "./dom.js";
import { who } from "./who.js";

/** Who may go where; to all other places everybody. @type {Record<string, (who: Who) => boolean>} */
const OPEN_TO = {
  lessons: ({ mayTeach }) => mayTeach,
  models: ({ mayTeach }) => mayTeach,
  stats: ({ mayOperate }) => mayOperate,
};

/** Fit the menu to its reader, now and whenever that is somebody else. */
export function fitMenu() {
  const side = find(document, "#side", HTMLElement);
  const show = async () => {
    const reader = await who();
    for (const link of side.querySelectorAll("a[data-place]")) {
      const mayGo = OPEN_TO[link.getAttribute("data-place") ?? ""];
      link.toggleAttribute("hidden", mayGo !== undefined && !mayGo(reader));
    }
  };
  document.addEventListener("who", show);
  side.addEventListener("click", ({ target }) => {
    if (target instanceof Element && target.closest("a")) closeDrawer();
  });
  side.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !side.contains(relatedTarget)) closeDrawer();
  });
  show();
}

/** Where there is room the menu stays. */
export function closeDrawer() {
  const side = find(document, "#side", HTMLElement);
  if (side.matches(":popover-open")) side.hidePopover();
}
