/**
 * The operator's view: what this process has done since it started, renewed every few seconds
 * while somebody looks. The charts begin when the view is opened; what was before is only counted.
 */

import { element } from "../element.js";
import { Refusal } from "../failure.js";
import { call } from "../server.js";
import { Board } from "../stats/board.js";
import { translator } from "../words.js";

const INTERVAL_MS = 3000;

/** @param {HTMLElement} host */
export async function open(host) {
  await translator.load("stats");
  const said = element("p", { class: "said", role: "status", hidden: true });
  const board = new Board();
  host.append(
    element("div", { class: "stats" }, element("h2", { key: "stats.title" }), said, board.element),
  );
  const look = new Look(board, said);
  await look.now();
  return () => look.end();
}

/** Asks again and again, never while nobody sees the answer. */
class Look {
  #board;
  #said;
  #timer = 0;
  #ended = false;
  #wake = () => this.now();

  /**
   * @param {Board} board
   * @param {HTMLElement} said why nothing new is shown
   */
  constructor(board, said) {
    this.#board = board;
    this.#said = said;
    document.addEventListener("visibilitychange", this.#wake);
  }

  async now() {
    window.clearTimeout(this.#timer);
    if (this.#ended || document.hidden) return;
    try {
      this.#board.show(await call("GET", "stats"), performance.now());
      this.#said.hidden = true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#said.textContent = error.message;
      this.#said.hidden = false;
    }
    if (!this.#ended) this.#timer = window.setTimeout(this.#wake, INTERVAL_MS);
  }

  end() {
    this.#ended = true;
    window.clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#wake);
  }
}
