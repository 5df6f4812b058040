/**
 * The losses of a training as a picture that grows: one line for the lessons, one for what
 * must not be forgotten, dots for what was held out. Knows points, no events.
 */

import { translator } from "../words.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 640;
const HEIGHT = 240;
const LEFT = 44;
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 26;
const MOST = 400;

export class Curve {
  element = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "curve", role: "img" });
  /** @type {Record<string, Point[]>} */
  #lines = { lessons: [], replay: [], held: [] };
  #steps = 1;
  #frame = 0;

  /**
   * @param {"lessons" | "replay" | "held"} name
   * @param {number} step
   * @param {number} loss
   */
  add(name, step, loss) {
    const line = this.#lines[name] ?? [];
    while (line.length > 0 && (line.at(-1)?.[0] ?? 0) >= step) line.pop(); // gone on from earlier
    line.push([step, loss]);
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  /** @param {number} steps how many there will be */
  expect(steps) {
    this.#steps = Math.max(1, steps);
  }

  #draw() {
    this.#frame = 0;
    const all = Object.values(this.#lines).flat();
    const top = Math.max(...all.map(([, loss]) => loss), 0.1);
    const steps = Math.max(this.#steps, ...all.map(([step]) => step));
    const x = (/** @type {number} */ step) => LEFT + (step / steps) * (WIDTH - LEFT - RIGHT);
    const y = (/** @type {number} */ loss) => TOP + (1 - loss / top) * (HEIGHT - TOP - BOTTOM);
    this.element.replaceChildren(
      ...axes(top, steps, y),
      ...["replay", "lessons"].map((name) => line(name, this.#lines[name] ?? [], x, y)),
      ...(this.#lines["held"] ?? []).map(([step, loss]) =>
        draw("circle", { class: "held", cx: x(step), cy: y(loss), r: 4 }),
      ),
    );
    const [step = 0, loss = 0] = this.#lines["lessons"]?.at(-1) ?? [];
    this.element.setAttribute("aria-label", translator.text("models.curve", { step, loss, steps }));
  }
}

/**
 * @param {number} top
 * @param {number} steps
 * @param {(loss: number) => number} y
 */
function axes(top, steps, y) {
  const marks = [0, top / 2, top].flatMap((loss) => [
    draw("path", { class: "grid", d: `M${LEFT} ${y(loss)}H${WIDTH - RIGHT}` }),
    written(loss.toFixed(1), LEFT - 6, y(loss) + 4, "end"),
  ]);
  return [
    ...marks,
    written("0", LEFT, HEIGHT - 6, "start"),
    written(String(steps), WIDTH - RIGHT, HEIGHT - 6, "end"),
  ];
}

/**
 * @param {string} name
 * @param {readonly Point[]} points
 * @param {(step: number) => number} x
 * @param {(loss: number) => number} y
 */
function line(name, points, x, y) {
  const every = Math.ceil(points.length / MOST);
  const kept = points.filter((_, at) => at % every === 0 || at === points.length - 1);
  const d = kept.map(([step, loss], at) => `${at ? "L" : "M"}${x(step).toFixed(1)} ${y(loss).toFixed(1)}`);
  return draw("path", { class: `line ${name}`, d: d.join("") || "M0 0" });
}

/**
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {string} anchor
 */
function written(text, x, y, anchor) {
  const made = draw("text", { x, y, "text-anchor": anchor });
  made.textContent = text;
  return made;
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 */
function draw(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
