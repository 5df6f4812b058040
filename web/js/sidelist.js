/**
 * The list of conversations at the side: by day, searched as one types, as long as it may be.
 * Knows nothing of what is said in them.
 */

import { addressOf } from "./address.js";
import { nameOf, rowsOf } from "./days.js";
import { copyOf, find } from "./dom.js";
import { EntryMenu } from "./entrymenu.js";
import { listed } from "./library.js";
import { Window } from "./window.js";
import { translator } from "./words.js";

const TYPING_MS = 200;

export class SideList {
  #element;
  #search;
  #window;
  #menu;
  /** @type {readonly Summary[]} */
  #pinned = [];
  /** @type {readonly Summary[]} */
  #others = [];
  /** @type {readonly Row[]} */
  #rows = [];
  #cursor = "";
  #words = "";
  #asked = new AbortController();
  #timer = 0;
  /** The entry that Tab leads to. */
  #reached = "";

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
    this.#search = find(element, "input", HTMLInputElement);
    const scroller = find(element, ".window", HTMLElement);
    /** @type {Window<Row>} */
    this.#window = new Window(scroller, find(element, "ul", HTMLElement), {
      height: (row) => this.#height(row),
      draw: (row, index) => this.#draw(row, index),
      nearEnd: () => this.#more(),
    });
    this.#menu = new EntryMenu(find(document, "#entry", HTMLElement), this);
    this.#listen();
    this.refresh();
  }

  /** Ask anew for what is shown: something was said, or somebody else reads. */
  refresh() {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#load(), 50);
  }

  /**
   * Take an entry out before the server knows, or put another in its place.
   * @param {string} id
   * @param {Summary} [instead]
   */
  replace(id, instead) {
    /** @param {readonly Summary[]} all */
    const without = (all) => all.flatMap((each) => (each.id === id ? (instead ?? []) : each));
    this.#pinned = without(this.#pinned);
    this.#others = without(this.#others);
    this.#show();
  }

  /** @param {string} id @returns {HTMLElement | undefined} */
  rowOf(id) {
    const index = this.#indexOf(id);
    return index < 0 ? undefined : this.#window.reveal(index);
  }

  #listen() {
    this.#search.addEventListener("input", () => {
      window.clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => this.#load(), TYPING_MS);
    });
    this.#element.addEventListener("submit", (event) => event.preventDefault());
    this.#element.addEventListener("keydown", (event) => this.#key(event));
    window.addEventListener("hashchange", () => this.#mark());
    document.addEventListener("address", () => this.#mark());
    document.addEventListener("language", () => this.#show());
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
  }

  async #load() {
    this.#asked.abort();
    this.#asked = new AbortController();
    const { signal } = this.#asked;
    const words = this.#search.value.trim();
    /** @type {{conversations: Summary[], cursor: string | null}} */
    const none = { conversations: [], cursor: null };
    try {
      const [pinned, page] = await Promise.all([
        words ? none : listed({ pinned: true }, signal),
        listed({ words }, signal),
      ]);
      this.#words = words;
      this.#pinned = pinned.conversations;
      this.#others = page.conversations;
      this.#cursor = page.cursor ?? "";
      this.#show();
    } catch {
      // What is shown stays: the bar tells of a lost connection.
    }
  }

  /** The next page, where there is one. */
  async #more() {
    const { signal } = this.#asked;
    const cursor = this.#cursor;
    if (!cursor) return;
    this.#cursor = "";
    try {
      const page = await listed({ words: this.#words, cursor }, signal);
      this.#others = [...this.#others, ...page.conversations];
      this.#cursor = page.cursor ?? "";
      this.#show();
    } catch {
      if (!signal.aborted) this.#cursor = cursor;
    }
  }

  #show() {
    const hidden = this.#menu.hidden;
    const [pinned, others] = [this.#pinned, this.#others].map((all) =>
      all.filter(({ id }) => id !== hidden),
    );
    this.#rows = this.#words
      ? (others ?? []).map((summary) => ({ kind: "entry", summary }))
      : rowsOf(pinned ?? [], others ?? []);
    const empty = find(this.#element, ".none", HTMLElement);
    empty.hidden = this.#rows.length > 0;
    translator.set(empty, this.#words ? "list.unfound" : "list.empty");
    const held = this.#held();
    this.#window.show(this.#rows);
    if (held) this.#focus(held);
  }

  /** The entry that has the focus. */
  #held() {
    const row = document.activeElement?.closest("li");
    return row && this.#element.contains(row) ? (row.dataset["id"] ?? "") : "";
  }

  /** @param {Row} row in pixels, as the style sheet has it in rem */
  #height(row) {
    const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    if (row.kind !== "entry") return 2 * rem;
    return (row.summary.snippet ? 4 : 2.75) * rem;
  }

  /**
   * @param {Row} row
   * @param {number} index
   */
  #draw(row, index) {
    if (row.kind !== "entry") return this.#heading(row);
    const { summary } = row;
    const item = copyOf("entry-row");
    item.dataset["id"] = summary.id;
    const link = find(item, "a", HTMLAnchorElement);
    link.href = `#/c/${summary.id}`;
    find(link, ".name", HTMLElement).textContent = summary.title || translator.text("list.untitled");
    find(link, ".snippet", HTMLElement).textContent = summary.snippet;
    translator.translate(item);
    this.#menu.serve(find(item, "button", HTMLButtonElement), summary);
    const first = this.#rows.findIndex(({ kind }) => kind === "entry") === index;
    this.#markRow(item, summary.id, this.#reached ? this.#reached === summary.id : first);
    return item;
  }

  /** @param {Exclude<Row, {kind: "entry"}>} row */
  #heading(row) {
    const item = document.createElement("li");
    item.className = "day";
    if (row.kind === "pinned") translator.set(item, "list.pinned");
    else item.textContent = nameOf(row.day, new Date(), translator.tag);
    return item;
  }

  #mark() {
    for (const item of this.#element.querySelectorAll("li[data-id]")) {
      if (item instanceof HTMLElement) this.#markRow(item, item.dataset["id"] ?? "");
    }
  }

  /**
   * @param {HTMLElement} item
   * @param {string} id
   * @param {boolean} [reachable] by Tab
   */
  #markRow(item, id, reachable) {
    const { view, rest } = addressOf(location.hash);
    const link = find(item, "a", HTMLAnchorElement);
    if (view === "chat" && rest === id) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    if (reachable === undefined) return;
    for (const each of item.querySelectorAll("a, button")) {
      each.setAttribute("tabindex", reachable ? "0" : "-1");
    }
  }

  /** @param {string} id */
  #indexOf(id) {
    return this.#rows.findIndex((row) => row.kind === "entry" && row.summary.id === id);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.target instanceof HTMLInputElement && event.target !== this.#search) return;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (!step) return;
    const entries = this.#rows.flatMap((row) => (row.kind === "entry" ? row.summary.id : []));
    const held = this.#held();
    const next = held ? entries[entries.indexOf(held) + step] : step > 0 ? entries[0] : undefined;
    if (next) this.#focus(next);
    else if (held && step < 0) this.#search.focus();
    event.preventDefault();
  }

  /** @param {string} id */
  #focus(id) {
    const before = this.#reached;
    this.#reached = id;
    for (const each of [before, id]) {
      const item = each && this.#element.querySelector(`li[data-id="${CSS.escape(each)}"]`);
      if (item instanceof HTMLElement) this.#markRow(item, each, each === id);
    }
    const item = this.rowOf(id);
    if (!item) return;
    this.#markRow(item, id, true);
    find(item, "a", HTMLAnchorElement).focus({ preventScroll: true });
  }
}
