/**
 * Where the reader is, by the address's fragment: the chat, or a view that is fetched when
 * it is first asked for, with the style sheet of its name. Knows nothing of what a view shows.
 *
 * A view is `views/<name>.js` with `open(host, rest)`: it fills `host`, which is empty, and
 * gives back what takes it away again. `rest` is the part of the fragment behind the name.
 * Words come from `translator` in words.js.
 */

import { addressOf } from "./address.js";
import { find } from "./dom.js";
import { translator } from "./words.js";

export class Places {
  #host = find(document, "#view", HTMLElement);
  #chat;
  /** @type {(() => void) | undefined} */
  #close;
  /** @type {Address | undefined} */
  #now;

  /** @param {(conversation: string) => void} chat shows a conversation; empty: a new one */
  constructor(chat) {
    this.#chat = chat;
  }

  /** Go where the address says, now and whenever it changes. */
  async start() {
    window.addEventListener("hashchange", () => this.#go());
    document.addEventListener("address", () => this.#mark(addressOf(location.hash)));
    await this.#go();
  }

  async #go() {
    const place = addressOf(location.hash);
    this.#now = place;
    this.#close?.();
    this.#close = undefined;
    this.#host.replaceChildren();
    document.body.dataset["place"] = place.view;
    this.#mark(place);
    if (place.view === "chat") await this.#chat(place.rest);
    else await this.#open(place, place.view);
  }

  /** @param {Address} place */
  #mark({ view, rest }) {
    this.#host.hidden = view === "chat";
    for (const part of document.querySelectorAll("main > .chat")) {
      part.toggleAttribute("hidden", view !== "chat");
    }
    for (const link of document.querySelectorAll("a[data-place]")) {
      const here = link.getAttribute("data-place") === view && !(view === "chat" && rest);
      if (here) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  /**
   * @param {Address} place
   * @param {ViewName} view
   */
  async #open(place, view) {
    this.#host.setAttribute("aria-busy", "true");
    try {
      const [{ open }] = await Promise.all([import(`./views/${view}.js`), styled(view)]);
      if (this.#now !== place) return;
      const close = await open(this.#host, place.rest);
      if (this.#now === place) this.#close = close;
      else close();
      // Whoever has begun to use it while it was being filled stays where they are.
      if (!this.#host.contains(document.activeElement)) this.#host.focus({ preventScroll: true });
    } catch (error) {
      if (this.#now === place) this.#fail(error);
    } finally {
      this.#host.removeAttribute("aria-busy");
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    const said = document.createElement("p");
    translator.set(said, "place.missing");
    const again = document.createElement("button");
    again.className = "retry";
    translator.set(again, "retry.now");
    again.addEventListener("click", () => this.#go());
    const missing = document.createElement("div");
    missing.className = "missing column";
    missing.append(said, again);
    this.#host.replaceChildren(missing);
    if (navigator.onLine) reportError(error);
  }
}

/**
 * Load the style sheet of a view, once. One that cannot be had is no reason to show nothing.
 * @param {ViewName} view
 */
function styled(view) {
  const href = `${view}.css`;
  if (document.querySelector(`link[href="${href}"]`)) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  return new Promise((resolve) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve);
    document.head.append(link);
  });
}
