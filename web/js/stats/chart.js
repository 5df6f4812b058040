/** Small drawings of numbers. Their words are somebody else's affair. */

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 240;
const HEIGHT = 56;

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 */
function drawn(name, attributes) {
  const part = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) {
    part.setAttribute(attribute, String(value));
  }
  return part;
}

/** A line over time, the newest at the right end, on a scale that begins at nothing. */
export class Sparkline {
  #area = drawn("path", { class: "area" });
  #line = drawn("path", { class: "line" });

  constructor() {
    const view = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" };
    this.element = drawn("svg", { class: "spark", "aria-hidden": "true", ...view });
    this.element.append(this.#area, this.#line);
  }

  /**
   * @param {readonly number[]} values
   * @param {number} most as many as the whole width has room for
   */
  show(values, most) {
    if (values.length < 2) return;
    const top = Math.max(...values, 1e-9);
    const step = WIDTH / (most - 1);
    const start = WIDTH - (values.length - 1) * step;
    const points = values.map((value, number) => {
      const y = HEIGHT - 2 - (value / top) * (HEIGHT - 6);
      return `${(start + number * step).toFixed(1)} ${y.toFixed(1)}`;
    });
    this.#line.setAttribute("d", `M${points.join("L")}`);
    this.#area.setAttribute("d", `M${start} ${HEIGHT}L${points.join("L")}L${WIDTH} ${HEIGHT}Z`);
  }
}

/**
 * Lengths beside each other's, in parts of the longest.
 * @param {readonly number[]} values
 * @returns {SVGElement[]}
 */
export function bars(values) {
  const top = Math.max(...values, 1e-9);
  return values.map((value) => {
    const view = { viewBox: "0 0 100 8", preserveAspectRatio: "none" };
    const bar = drawn("svg", { class: "bar-of", "aria-hidden": "true", ...view });
    const length = Math.max((value / top) * 100, value > 0 ? 1 : 0);
    bar.append(drawn("rect", { width: length, height: 8, rx: 1 }));
    return /** @type {SVGElement} */ (bar);
  });
}
