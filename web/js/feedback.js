/**
 * What the reader thinks of an answer: a thumb, a reason, and from those who teach the answer
 * that it should have been. Knows an answer by its id only; whoever shows it lends the place.
 */

import { element, icon } from "./element.js";
import { Refusal } from "./failure.js";
import { call } from "./server.js";
import { who } from "./who.js";
import { translator } from "./words.js";

const THUMB =
  "M7.5 10.500v9h-3v-9zM7.5 11l4-7c1.6 0 2.5 1.2 2.2 2.700l-.7 3.300h5.4" +
  "c1.3 0 2.2 1.2 1.9 2.400l-1.5 5.600c-.2.9-1 1.5-1.9 1.500H7.5";

/** @type {readonly Rating[]} */
const RATINGS = ["up", "down"];

/** @type {Promise<boolean> | undefined} whether words and looks are there */
let loaded;

/**
 * Put the thumbs into a place of the answer; without the network to fetch their words, none.
 * @param {string} messageId the answer's
 * @param {HTMLElement} host empty; what opens comes behind the footer that it is in
 * @param {Rateable} [known] what was said before, of which text; and who wants to know what is kept
 */
export async function feedbackFor(messageId, host, known = {}) {
  loaded ??= load();
  const [reader, ready] = await Promise.all([who(), loaded]);
  if (!ready) return;
  const { mode, role } = reader;
  const corrects = mode === "open" || role === "teacher" || role === "admin";
  new Rated(messageId, host, known, corrects);
}

class Rated {
  #path;
  #given;
  #answer;
  #onKept;
  #buttons;
  #below;
  /** @type {HTMLFormElement | undefined} */
  #form;

  /**
   * @param {string} messageId
   * @param {HTMLElement} host
   * @param {Rateable} known
   * @param {boolean} corrects the reader may say what the answer should have been
   */
  constructor(messageId, host, { given = null, answer = "", onKept }, corrects) {
    this.#path = `messages/${messageId}/feedback`;
    this.#given = given;
    this.#answer = corrects ? answer : undefined;
    this.#onKept = onKept;
    this.#below = host.closest("footer") ?? host;
    this.#buttons = RATINGS.map((rating) => this.#button(rating));
    const label = /** @type {Key} */ ("feedback.label");
    host.replaceChildren(element("div", { class: "rating", role: "group", label }, ...this.#buttons));
    this.#show();
  }

  /** @param {Rating} rating */
  #button(rating) {
    const button = element("button", {
      type: "button",
      class: `small thumb ${rating}`,
      called: `feedback.${rating}`,
      on: { click: () => this.#choose(rating) },
    });
    button.append(icon(THUMB));
    return button;
  }

  #show() {
    for (const [number, rating] of RATINGS.entries()) {
      const pressed = this.#given?.rating === rating;
      this.#buttons[number]?.setAttribute("aria-pressed", String(pressed));
    }
  }

  /** @param {Rating} rating the same again takes it back */
  async #choose(rating) {
    const again = this.#given?.rating === rating;
    const before = this.#given;
    this.#close();
    const kept = await this.#tell(again ? null : { reason: "", correction: "", ...before, rating });
    if (kept && !again) this.#ask(rating);
  }

  /**
   * Show it at once, and as it was before if the service does not keep it.
   * @param {Feedback | null} given
   */
  async #tell(given) {
    const before = this.#given;
    this.#given = given;
    this.#show();
    try {
      await call("PUT", this.#path, given ?? { rating: null });
      this.#onKept?.(given);
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#given = before;
      this.#show();
      this.#say(error.message);
      return false;
    }
  }

  /** @param {Rating} rating */
  #ask(rating) {
    const reason = area(`feedback.why.${rating}`, this.#given?.reason ?? "", 2000, 2);
    const fields = [reason];
    if (this.#answer !== undefined && rating === "down") {
      const text = this.#given?.correction || this.#answer;
      fields.push(area("feedback.correction", text, 32_000, 6));
    }
    const [why, correction] = fields.map((field) => field.querySelector("textarea"));
    const skip = element("button", { type: "button", class: "plain", key: "feedback.skip" });
    const send = element("button", { type: "submit", class: "plain", key: "feedback.send" });
    const note = element("p", { class: "hint", key: "feedback.note" });
    const buttons = element("div", { class: "buttons" }, send, skip);
    this.#form = element("form", { class: "opinion" }, ...fields, note, buttons);
    skip.addEventListener("click", () => this.#leave(rating));
    this.#form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const corrected = correction?.value.trim() ?? "";
      const told = {
        rating,
        reason: why?.value.trim() ?? "",
        correction: corrected === this.#answer?.trim() ? "" : corrected,
      };
      if (await this.#tell(told)) this.#leave(rating);
    });
    this.#form.addEventListener("keydown", ({ key }) => key === "Escape" && this.#leave(rating));
    this.#below.after(this.#form);
    why?.focus();
  }

  /**
   * The focus goes back to where it came from.
   * @param {Rating} rating
   */
  #leave(rating) {
    this.#close();
    this.#buttons[RATINGS.indexOf(rating)]?.focus();
    this.#say(translator.text("feedback.thanks"));
  }

  #close() {
    this.#form?.remove();
    this.#form = undefined;
  }

  /** @param {string} words */
  #say(words) {
    const said = element("p", { class: "told", role: "status" }, words);
    this.#below.parentElement?.querySelector(":scope > .told")?.remove();
    this.#below.after(said);
    window.setTimeout(() => said.remove(), 6000);
  }
}

let areas = 0;

/**
 * @param {string} key
 * @param {string} value
 * @param {number} maxlength
 * @param {number} rows
 */
function area(key, value, maxlength, rows) {
  const id = `opinion-${(areas += 1)}`;
  const field = element("textarea", { id, maxlength, rows });
  field.value = value;
  return element("div", { class: "row" }, element("label", { for: id, key: /** @type {Key} */ (key) }), field);
}

/** @returns {Promise<boolean>} */
async function load() {
  try {
    await Promise.all([translator.load("feedback"), styled()]);
    return true;
  } catch {
    loaded = undefined; // the next answer tries again
    return false;
  }
}

function styled() {
  const link = element("link", { rel: "stylesheet", href: "feedback.css" });
  return new Promise((resolve) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve);
    document.head.append(link);
  });
}
