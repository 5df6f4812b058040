/**
 * A list of any length of which only what is seen stands in the document. Rows have fixed
 * heights, and the one with the focus stays. Knows nothing of what a row shows.
 */

/** So much above and below what is seen is drawn as well, in pixels. */
const MARGIN = 400;

/** @template Row */
export class Window {
  #scroller;
  #list;
  #look;
  /** @type {readonly Row[]} */
  #rows = [];
  /** Where each row begins, and at the end where the last one ends, in pixels. */
  #tops = [0];
  /** @type {Map<number, HTMLElement>} */
  #drawn = new Map();
  #frame = 0;

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} list inside it
   * @param {{height: (row: Row) => number, draw: (row: Row, index: number) => HTMLElement,
   *   nearEnd: () => void}} look
   */
  constructor(scroller, list, look) {
    this.#scroller = scroller;
    this.#list = list;
    this.#look = look;
    scroller.addEventListener("scroll", () => this.#soon(), { passive: true });
    new ResizeObserver(() => this.show(this.#rows)).observe(scroller);
  }

  /** @param {readonly Row[]} rows */
  show(rows) {
    this.#rows = rows;
    this.#tops = [0];
    for (const row of rows) this.#tops.push((this.#tops.at(-1) ?? 0) + this.#look.height(row));
    this.#list.style.height = `${this.#tops.at(-1)}px`;
    this.#list.replaceChildren();
    this.#drawn.clear();
    this.#draw();
  }

  /**
   * Bring a row into view.
   * @param {number} index
   * @returns {HTMLElement | undefined} it
   */
  reveal(index) {
    const [top = 0, bottom = 0] = this.#tops.slice(index, index + 2);
    const { scrollTop, clientHeight } = this.#scroller;
    if (top < scrollTop) this.#scroller.scrollTop = top;
    if (bottom > scrollTop + clientHeight) this.#scroller.scrollTop = bottom - clientHeight;
    this.#draw();
    return this.#drawn.get(index);
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { scrollTop, clientHeight } = this.#scroller;
    const first = this.#at(scrollTop - MARGIN);
    const last = this.#at(scrollTop + clientHeight + MARGIN);
    for (const [index, element] of this.#drawn) {
      if ((index >= first && index <= last) || element.contains(document.activeElement)) continue;
      element.remove();
      this.#drawn.delete(index);
    }
    for (let index = first; index <= last; index += 1) this.#place(index);
    if (last >= this.#rows.length - 1) this.#look.nearEnd();
  }

  /**
   * In the order of the rows: that is how they are read and reached by keyboard.
   * @param {number} index
   */
  #place(index) {
    const row = this.#rows[index];
    if (row === undefined || this.#drawn.has(index)) return;
    const element = this.#look.draw(row, index);
    element.style.top = `${this.#tops[index]}px`;
    element.dataset["index"] = String(index);
    const after = [...this.#list.children].find(
      (other) => other instanceof HTMLElement && Number(other.dataset["index"]) > index,
    );
    this.#list.insertBefore(element, after ?? null);
    this.#drawn.set(index, element);
  }

  /**
   * The row at a height, by halves.
   * @param {number} height
   */
  #at(height) {
    let [low, high] = [0, Math.max(this.#rows.length - 1, 0)];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#tops[middle] ?? 0) <= height) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
