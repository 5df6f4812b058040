/**
 * Keeps the newest text in view while the reader is at the end, and lets go as soon as
 * the reader scrolls up. Knows nothing of what is being read.
 */

/** So near the end counts as being there, in pixels. */
const NEAR = 48;

const KEYS_UP = ["ArrowUp", "PageUp", "Home"];

export class Follower {
  #scroller;
  #content;
  #button;
  #following = true;
  #top = 0;

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} content
   * @param {HTMLButtonElement} button leads to the newest text
   */
  constructor(scroller, content, button) {
    this.#scroller = scroller;
    this.#content = content;
    this.#button = button;
    this.#listen();
    button.addEventListener("click", () => this.#glide());
    const growth = new ResizeObserver(() => this.#keepUp());
    growth.observe(content);
    growth.observe(scroller);
  }

  /** Go to the end and stay there. */
  toEnd() {
    this.#following = true;
    this.#keepUp();
  }

  /**
   * A browser that is kept at the end drops the first step of a gliding scroll, so the
   * intention has to count, not only the movement.
   */
  #listen() {
    /** @type {(type: keyof HTMLElementEventMap, react: (event: any) => void) => void} */
    const on = (type, react) => this.#scroller.addEventListener(type, react, { passive: true });
    on("scroll", () => this.#scrolled());
    on("wheel", ({ deltaY }) => deltaY < 0 && this.#letGo());
    on("keydown", ({ key }) => KEYS_UP.includes(key) && this.#letGo());
    on("touchmove", () => this.#letGo());
    on("touchend", () => (this.#following = this.#distance() < NEAR));
  }

  #letGo() {
    if (this.#scroller.scrollTop > 0) this.#following = false;
  }

  #distance() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  /** Text that shrinks moves the reader up as well, but leaves no distance to the end. */
  #scrolled() {
    const { scrollTop } = this.#scroller;
    const distance = this.#distance();
    if (scrollTop < this.#top && distance > 1) this.#following = false;
    if (scrollTop > this.#top && distance < NEAR) this.#following = true;
    this.#top = scrollTop;
    this.#offer(distance);
  }

  /**
   * An attribute that is set again costs as much as one that changes.
   * @param {number} distance
   */
  #offer(distance) {
    this.#button.toggleAttribute("hidden", this.#following || distance < NEAR);
  }

  #keepUp() {
    if (this.#content.clientHeight === 0) return;
    if (this.#following) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#top = this.#scroller.scrollTop;
    this.#offer(this.#distance());
  }

  #glide() {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#following = true;
    this.#scroller.focus({ preventScroll: true });
    this.#scroller.scrollTo({
      top: this.#scroller.scrollHeight,
      behavior: still ? "auto" : "smooth",
    });
  }
}
