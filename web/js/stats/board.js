/**
 * The counters as tiles: what is going on now with a line of the last minutes, then how answers
 * ended, how long they took, and each model's part. Knows nothing of where counters come from.
 */

import { element } from "../element.js";
import { translator } from "../words.js";
import { bars, Sparkline } from "./chart.js";

/** Samples of a line; at one in three seconds they are three minutes. */
const MOST = 60;

/** Samples between which a rate is told: the numbers of half a minute. */
const SPAN = 10;

/** @typedef {{at: number, answers: number, tokens: number, active: number, queued: number}} Sample */

export class Board {
  /** @type {Sample[]} */
  #samples = [];
  #traffic = new Tile("stats.traffic", "stats.perMinute");
  #tokens = new Tile("stats.tokens", "stats.perSecond");
  #active = new Tile("stats.active", "stats.now");
  #queue = new Tile("stats.queue", "stats.now");
  #facts = element("ul", { class: "facts-of", label: "stats.sums" });
  #outcomes = element("div");
  #times = element("div");
  #models = element("div", { class: "scroll", tabindex: 0, role: "group", label: "stats.models" });

  constructor() {
    const tiles = [this.#traffic, this.#tokens, this.#active, this.#queue];
    this.element = element(
      "div",
      { class: "board" },
      element("div", { class: "tiles" }, ...tiles.map((tile) => tile.element)),
      this.#facts,
      element(
        "div",
        { class: "halves" },
        part("stats.outcomes", this.#outcomes),
        part("stats.times", this.#times),
      ),
      part("stats.models", this.#models),
    );
  }

  /**
   * @param {Stats} stats
   * @param {number} at in milliseconds
   */
  show(stats, at) {
    this.#keep({
      at,
      answers: stats.requests.total,
      tokens: stats.completion_tokens,
      active: stats.active_streams,
      queued: stats.queued,
    });
    this.#traffic.show(this.#rates("answers", 60_000));
    this.#tokens.show(this.#rates("tokens", 1000));
    this.#active.show(this.#samples.map(({ active }) => active));
    this.#queue.show(this.#samples.map(({ queued }) => queued));
    this.#facts.replaceChildren(...sums(stats));
    this.#outcomes.replaceChildren(...outcomes(stats.requests));
    this.#times.replaceChildren(...times(stats));
    this.#models.replaceChildren(models(stats.models));
  }

  /** @param {Sample} sample counters that fell begin anew: so did the process */
  #keep(sample) {
    const last = this.#samples.at(-1);
    if (last && sample.answers < last.answers) this.#samples = [];
    this.#samples = [...this.#samples, sample].slice(-MOST);
  }

  /**
   * @param {"answers" | "tokens"} name
   * @param {number} per milliseconds
   */
  #rates(name, per) {
    const rates = this.#samples.slice(1).map((sample, number) => {
      const before = /** @type {Sample} */ (this.#samples[Math.max(number + 1 - SPAN, 0)]);
      return ((sample[name] - before[name]) * per) / Math.max(sample.at - before.at, 1);
    });
    return rates.length > 0 ? rates : [0];
  }
}

/** A number of now, and a line of how it came about. */
class Tile {
  #number = element("strong", { class: "number" }, "0");
  #line = new Sparkline();

  /**
   * @param {Key} title
   * @param {Key} unit
   */
  constructor(title, unit) {
    this.element = element(
      "section",
      { class: "tile" },
      element("h3", { key: title }),
      element("p", {}, this.#number, " ", element("span", { key: unit })),
      this.#line.element,
    );
  }

  /** @param {readonly number[]} values the last is that of now */
  show(values) {
    this.#number.textContent = rounded(values.at(-1) ?? 0);
    this.#line.show(values, MOST);
  }
}

/**
 * @param {Key} title
 * @param {HTMLElement} body
 */
function part(title, body) {
  return element("section", { class: "part" }, element("h3", { key: title }), body);
}

/** @param {Stats} stats */
function sums(stats) {
  const { requests, cache_hits, shared_answers } = stats;
  const saved = cache_hits + shared_answers;
  const share = requests.total ? saved / requests.total : 0;
  /** @type {Fact[]} */
  const facts = [
    uptime(stats.uptime_seconds),
    ["stats.answers", { count: requests.total }],
    ["stats.prompt", { count: stats.prompt_tokens }],
    ["stats.completion", { count: stats.completion_tokens }],
    ["stats.cache", { count: cache_hits }],
    ["stats.shared", { count: shared_answers, percent: Math.round(share * 100) }],
  ];
  return facts.map(([key, values = {}]) => element("li", { key, values }));
}

/**
 * @param {number} seconds
 * @returns {Fact}
 */
function uptime(seconds) {
  const minutes = Math.floor(seconds / 60);
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor(minutes / 60) % 24;
  if (days > 0) return ["stats.uptime.days", { days, hours }];
  return ["stats.uptime.hours", { hours, minutes: minutes % 60 }];
}

/** @param {Stats["requests"]} requests */
function outcomes({ total, ...ended }) {
  const found = Object.entries(ended).sort(([, a], [, b]) => b - a);
  if (found.length === 0) return [element("p", { class: "hint", key: "stats.nothing" })];
  const lengths = bars(found.map(([, count]) => count));
  const rows = found.map(([code, count], number) => {
    const kind = code === "ok" ? "good" : code === "cancelled" ? "neutral" : "bad";
    const share = Math.round((count / Math.max(total, 1)) * 100);
    return element(
      "tr",
      { class: kind },
      element("th", { scope: "row" }, named(code)),
      element("td", { class: "drawing" }, /** @type {Node} */ (lengths[number])),
      element("td", { key: "stats.count", values: { count, percent: share } }),
    );
  });
  return [element("table", {}, element("tbody", {}, ...rows))];
}

/** @param {string} code the contract's; known ones have words */
function named(code) {
  const key = /** @type {Key} */ (`stats.code.${code}`);
  const known = translator.text(key) !== key;
  return known ? element("span", { key }) : element("code", {}, code);
}

/** @param {Stats} stats */
function times({ time_to_first_token_seconds: first, latency_seconds: whole }) {
  const names = /** @type {const} */ (["p50", "p95", "p99"]);
  if (whole.p50 === null && first.p50 === null) {
    return [element("p", { class: "hint", key: "stats.nothing" })];
  }
  return [
    /** @type {const} */ (["stats.first", first]),
    /** @type {const} */ (["stats.whole", whole]),
  ].map(([title, quantiles]) => {
    const lengths = bars(names.map((name) => quantiles[name] ?? 0));
    const rows = names.map((name, number) =>
      element(
        "tr",
        {},
        element("th", { scope: "row", key: `stats.${name}` }),
        element("td", { class: "drawing" }, /** @type {Node} */ (lengths[number])),
        seconds(quantiles[name]),
      ),
    );
    return element("table", {}, element("caption", { key: title }), element("tbody", {}, ...rows));
  });
}

/** @param {number | null} value */
function seconds(value) {
  if (value === null) return element("td", {}, "–");
  return element("td", { key: "stats.seconds", values: { seconds: value } });
}

/** @param {Stats["models"]} found */
function models(found) {
  const entries = Object.entries(found);
  if (entries.length === 0) return element("p", { class: "hint", key: "stats.nothing" });
  /** @type {Key[]} */
  const titles = ["stats.model", "stats.columnAnswers", "stats.columnPrompt"];
  titles.push("stats.columnCompletion", "stats.columnFirst", "stats.columnWhole");
  const head = element("tr", {}, ...titles.map((key) => element("th", { scope: "col", key })));
  const rows = entries.map(([name, model]) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      ...[model.answers, model.prompt_tokens, model.completion_tokens].map((count) =>
        element("td", { key: "stats.number", values: { count } }),
      ),
      seconds(model.time_to_first_token_seconds.p50),
      seconds(model.latency_seconds.p50),
    ),
  );
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
}

/** @param {number} value */
function rounded(value) {
  const digits = value < 10 ? 1 : 0;
  const format = new Intl.NumberFormat(translator.language, { maximumFractionDigits: digits });
  return format.format(value);
}
