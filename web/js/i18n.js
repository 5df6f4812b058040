/**
 * The page's words in the reader's language, numbers written as the reader writes them.
 * An element carries the key of its words, so a switch of language reaches all of them.
 * Knows no words itself.
 */

/** @type {readonly Language[]} */
const LANGUAGES = ["en", "es"];

/**
 * @param {readonly string[]} preferred as `navigator.languages` gives them
 * @returns {Language}
 */
export function bestLanguage(preferred) {
  const known = preferred.map((tag) => LANGUAGES.find((language) => speaks(tag, language)));
  return known.find((language) => language) ?? "en";
}

/**
 * @param {string} tag
 * @param {Language} language
 */
function speaks(tag, language) {
  return tag.toLowerCase().split("-")[0] === language;
}

export class Translator {
  #load;
  #preferred;
  /** Views whose own catalogue was asked for; "" is the page's. */
  #views = [""];
  /** @type {Record<string, Entry>} */
  #entries = {};
  /** @type {WeakMap<Element, Values>} */
  #values = new WeakMap();
  #numbers = new Intl.NumberFormat("en");
  #plurals = new Intl.PluralRules("en");

  /** @type {Language} */
  language = "en";

  /** The reader's own tag of it, for dates and numbers: es-AR. */
  tag = "en";

  /**
   * @param {(language: Language, view: string) => Promise<Record<string, Entry>>} load
   * @param {readonly string[]} preferred the reader's tags: es-MX writes 2.5, es-AR 2,5
   */
  constructor(load, preferred) {
    this.#load = load;
    this.#preferred = preferred;
  }

  /** @param {Language} language */
  async use(language) {
    const tag = this.#preferred.find((preferred) => speaks(preferred, language)) ?? language;
    this.#entries = await this.#read(language);
    this.#numbers = new Intl.NumberFormat(tag, { maximumFractionDigits: 2 });
    this.#plurals = new Intl.PluralRules(tag);
    this.language = language;
    this.tag = tag;
  }

  /**
   * Add the words of a view that is opened only now; they follow every switch of language.
   * @param {string} view as in `i18n/<view>.<language>.json`
   * @returns {Promise<void>}
   */
  async load(view) {
    if (this.#views.includes(view)) return;
    const { language } = this;
    const entries = await this.#load(language, view);
    if (language !== this.language) return this.load(view);
    this.#views.push(view);
    this.#entries = { ...this.#entries, ...entries };
  }

  /** @param {Language} language */
  async #read(language) {
    const catalogues = await Promise.all(this.#views.map((view) => this.#load(language, view)));
    return Object.assign({}, ...catalogues);
  }

  /**
   * @param {Key} key
   * @param {Values} [values]
   * @returns {string}
   */
  text(key, values = {}) {
    const entry = this.#entries[key] ?? key;
    return this.#pattern(entry, values).replace(/\{(\w+)\}/g, (_, name) => {
      const value = values[name] ?? "";
      return typeof value === "number" ? this.#numbers.format(value) : value;
    });
  }

  /**
   * @param {Entry} entry
   * @param {Values} values
   */
  #pattern(entry, values) {
    if (typeof entry === "string") return entry;
    return entry[this.#plurals.select(Number(values["count"]))] ?? entry.other ?? "";
  }

  /**
   * Give an element its words, now and after every switch of language.
   * @param {HTMLElement} element
   * @param {Key} key
   * @param {Values} [values]
   */
  set(element, key, values = {}) {
    element.dataset["i18n"] = key;
    this.#values.set(element, values);
    element.textContent = this.text(key, values);
  }

  /**
   * Name a control that shows only an icon, for everyone: by voice and on hover.
   * @param {HTMLElement} element
   * @param {Key} key
   */
  name(element, key) {
    element.dataset["i18nName"] = key;
    element.setAttribute("aria-label", this.text(key));
    element.title = this.text(key);
  }

  /**
   * Bring every marked element below `root` to the current language.
   * @param {ParentNode} root
   */
  translate(root) {
    for (const element of marked(root, "[data-i18n]")) {
      this.set(element, keyOf(element, "i18n"), this.#values.get(element));
    }
    for (const element of marked(root, "[data-i18n-name]")) {
      this.name(element, keyOf(element, "i18nName"));
    }
    for (const element of marked(root, "[data-i18n-label]")) {
      element.setAttribute("aria-label", this.text(keyOf(element, "i18nLabel")));
    }
    for (const element of marked(root, "[data-i18n-placeholder]")) {
      element.setAttribute("placeholder", this.text(keyOf(element, "i18nPlaceholder")));
    }
  }
}

/**
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {NodeListOf<HTMLElement>}
 */
function marked(root, selector) {
  return root.querySelectorAll(selector);
}

/**
 * @param {HTMLElement} element
 * @param {string} name
 */
function keyOf(element, name) {
  return /** @type {Key} */ (element.dataset[name]);
}
