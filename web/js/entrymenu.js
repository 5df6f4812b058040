/**
 * What can be done with a conversation of the list: rename, pin, export, delete. A deletion
 * can be undone for a while, because the server hears of it only afterwards.
 */

import { addressOf } from "./address.js";
import { find } from "./dom.js";
import { change, exportOf, remove } from "./library.js";
import { say } from "./toast.js";
import { translator } from "./words.js";

/** @typedef {{replace: (id: string, instead?: Summary) => void, refresh: () => void,
 *   rowOf: (id: string) => HTMLElement | undefined}} List */

export class EntryMenu {
  #element;
  #list;
  /** @type {Summary | undefined} */
  #summary;

  /** The one that was deleted and can be had back. */
  hidden = "";

  /**
   * @param {HTMLElement} element a popover with a button for each act
   * @param {List} list
   */
  constructor(element, list) {
    this.#element = element;
    this.#list = list;
    element.addEventListener("click", ({ target }) => {
      const act = target instanceof Element && target.closest("[data-act]");
      if (act instanceof HTMLElement) this.#act(act.dataset["act"] ?? "");
    });
    element.addEventListener("keydown", (event) => this.#key(event));
    element.addEventListener("toggle", () => {
      if (element.matches(":popover-open")) find(element, "button", HTMLElement).focus();
    });
  }

  /**
   * @param {HTMLButtonElement} button opens the menu
   * @param {Summary} summary
   */
  serve(button, summary) {
    button.popoverTargetElement = this.#element;
    button.addEventListener("click", () => {
      this.#summary = summary;
      const { right, bottom } = button.getBoundingClientRect();
      const { style } = this.#element;
      style.left = `${Math.max(8, right - 208)}px`;
      style.top = `${Math.min(bottom, window.innerHeight - 256)}px`;
      const pin = find(this.#element, "[data-act=pin]", HTMLElement);
      translator.set(find(pin, "span", HTMLElement), summary.pinned ? "list.unpin" : "list.pin");
    });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (!step) return;
    const buttons = [...this.#element.querySelectorAll("button")];
    const at = buttons.findIndex((button) => button === document.activeElement);
    buttons[(at + step + buttons.length) % buttons.length]?.focus();
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {string} act */
  #act(act) {
    const summary = this.#summary;
    if (!summary) return;
    this.#element.hidePopover();
    if (act === "rename") this.#rename(summary);
    else if (act === "pin") this.#change(summary, { pinned: !summary.pinned });
    else if (act === "delete") this.#delete(summary);
    else download(exportOf(summary.id, act === "json" ? "json" : "md"));
  }

  /** @param {Summary} summary */
  #rename(summary) {
    const row = this.#list.rowOf(summary.id);
    if (!row) return;
    const field = document.createElement("input");
    field.value = summary.title;
    field.maxLength = 200;
    field.className = "rename";
    field.setAttribute("aria-label", translator.text("list.name"));
    let over = false;
    /** @param {boolean} keep */
    const end = (keep) => {
      if (over) return;
      over = true;
      const title = field.value.trim();
      row.classList.remove("renamed");
      field.remove();
      if (keep && title && title !== summary.title) this.#change(summary, { title });
    };
    field.addEventListener("keydown", (event) => {
      if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
      event.preventDefault();
      end(event.key === "Enter");
      this.#list.rowOf(summary.id)?.querySelector("a")?.focus();
    });
    field.addEventListener("blur", () => end(true));
    row.classList.add("renamed");
    row.append(field);
    field.select();
  }

  /**
   * Shown at once; taken back if the server does not take it.
   * @param {Summary} summary
   * @param {{title?: string, pinned?: boolean}} changed
   */
  async #change(summary, changed) {
    this.#list.replace(summary.id, { ...summary, ...changed });
    await change(summary.id, changed).catch(() => say("list.failed"));
    this.#list.refresh();
  }

  /** @param {Summary} summary */
  #delete(summary) {
    const { id } = summary;
    const wasHere = addressOf(location.hash).rest === id;
    say("list.deleted", { title: summary.title || translator.text("list.untitled") }, {
      offer: "list.undo",
      take: () => {
        this.hidden = "";
        this.#list.refresh();
        if (wasHere) location.hash = `#/c/${id}`;
      },
      pass: async () => {
        await remove(id).catch(() => say("list.failed"));
        if (this.hidden === id) this.hidden = "";
        this.#list.refresh();
      },
    });
    this.hidden = id;
    this.#list.replace(id);
    if (wasHere) location.hash = "#/";
  }
}

/** @param {string} address of a file */
function download(address) {
  const link = document.createElement("a");
  link.href = address;
  link.download = "";
  link.click();
}
