/**
 * Watches over the service: at once, every 30 seconds, and when the page comes back
 * into view; never while it is hidden. Addresses are relative to the page.
 * Knows nothing of how the state is shown.
 */

import { keepServed } from "./wanted.js";

const INTERVAL_MS = 30_000;
const LIMIT_MS = 10_000;

/** @returns {Promise<Health>} */
async function check() {
  try {
    const response = await fetch("api/health", {
      cache: "no-store",
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    const healthy = response.ok && (await response.json()).status === "healthy";
    return healthy ? "connected" : "degraded";
  } catch {
    return "offline";
  }
}

/**
 * The name of the model that answers, where the service can tell.
 * @returns {Promise<string>}
 */
export async function activeModel() {
  try {
    const response = await fetch("api/models", { signal: AbortSignal.timeout(LIMIT_MS) });
    if (!response.ok) return "";
    const { models, active_model } = await response.json();
    keepServed(models);
    return String(active_model);
  } catch {
    return "";
  }
}

export class HealthWatch {
  #report;
  #timer = 0;
  #asking = false;

  /** @param {(health: Health) => void} report */
  constructor(report) {
    this.#report = report;
  }

  start() {
    document.addEventListener("visibilitychange", () => this.now());
    window.addEventListener("online", () => this.now());
    window.addEventListener("offline", () => this.now());
    this.now();
  }

  /** Check at once; the next regular check is counted from here. */
  async now() {
    window.clearTimeout(this.#timer);
    if (document.hidden || this.#asking) return;
    this.#asking = true;
    this.#report(await check());
    this.#asking = false;
    window.clearTimeout(this.#timer);
    if (!document.hidden) this.#timer = window.setTimeout(() => this.now(), INTERVAL_MS);
  }
}
