/**
 * Conversations as rows of a list: under Pinned, and under the day on which they were last
 * changed. Knows neither words nor the page.
 */

/**
 * @param {readonly Summary[]} pinned
 * @param {readonly Summary[]} others the last changed first
 * @returns {Row[]}
 */
export function rowsOf(pinned, others) {
  /** @type {Row[]} */
  const rows = pinned.length > 0 ? [{ kind: "pinned" }] : [];
  for (const summary of pinned) rows.push({ kind: "entry", summary });
  const apart = new Set(pinned.map(({ id }) => id));
  let day = "";
  for (const summary of others) {
    if (apart.has(summary.id)) continue;
    const changed = new Date(summary.updated_at);
    if (changed.toDateString() !== day) rows.push({ kind: "day", day: changed });
    day = changed.toDateString();
    rows.push({ kind: "entry", summary });
  }
  return rows;
}

/**
 * Today, yesterday, a day of this week, and before that a date.
 * @param {Date} day
 * @param {Date} now
 * @param {string} tag of the reader's language
 */
export function nameOf(day, now, tag) {
  const days = Math.round((midnight(now) - midnight(day)) / 86_400_000);
  if (days === 0 || days === 1) {
    const relative = new Intl.RelativeTimeFormat(tag, { numeric: "auto" }).format(-days, "day");
    return relative.charAt(0).toLocaleUpperCase(tag) + relative.slice(1);
  }
  const year = day.getFullYear() === now.getFullYear() ? {} : { year: /** @type {const} */ ("numeric") };
  const written = new Intl.DateTimeFormat(tag, {
    ...(days < 7 ? { weekday: "long" } : {}),
    day: "numeric",
    month: days < 7 ? "short" : "long",
    ...year,
  }).format(day);
  return written.charAt(0).toLocaleUpperCase(tag) + written.slice(1);
}

/** @param {Date} day */
function midnight(day) {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
}
