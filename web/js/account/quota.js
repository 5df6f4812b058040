/** What is left of requests, tokens and answers at the same time. */

import { element } from "../element.js";
import { section } from "./section.js";

/** @type {Record<string, Key>} */
const KNOWN = {
  requests: "account.quota.requests",
  tokens: "account.quota.tokens",
  streams: "account.quota.streams",
};

/**
 * @param {Who} reader
 * @returns {HTMLElement[]} nothing where nothing is limited
 */
export function quota({ quota }) {
  if (quota && Object.keys(quota).length === 0) return [];
  if (!quota) return [section("quota", element("p", { key: "account.quota.unknown" }))];
  const shown = Object.entries(quota).filter(([name]) => KNOWN[name]);
  return [section("quota", ...shown.map(([name, standing]) => meterOf(name, standing)))];
}

/**
 * @param {string} name
 * @param {Standing} standing
 */
function meterOf(name, { limit, remaining, window_seconds = 0, reset_seconds = 0 }) {
  const key = /** @type {Key} */ (KNOWN[name]);
  const values = { count: remaining, limit, hours: Math.round(window_seconds / 3600) };
  const meter = element("meter", { max: limit, value: remaining, low: limit / 5, "aria-hidden": true });
  const said = element("p", { key, values });
  const part = element("div", { class: "quota" }, said, meter);
  if (reset_seconds > 0 && remaining < limit) {
    const minutes = Math.ceil(reset_seconds / 60);
    part.append(element("p", { class: "hint", key: "account.quota.again", values: { count: minutes } }));
  }
  return part;
}
