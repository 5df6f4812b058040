/** Words of program code in colours, for the languages that classes use most. */

/** @param {string} file of the library, which brings no types */
const load = async (file) => (await import(`../vendor/${file}.js`)).default;

/** By the names that models give them. @type {Record<string, string>} */
const GRAMMARS = {
  ...{ bash: "bash", sh: "bash", shell: "bash", zsh: "bash", c: "cpp", h: "cpp" },
  ...{ cpp: "cpp", "c++": "cpp", java: "java", json: "json" },
  ...{ javascript: "javascript", js: "javascript", jsx: "javascript", mjs: "javascript" },
  ...{ typescript: "javascript", ts: "javascript", python: "python", py: "python" },
  ...{ sql: "sql", html: "xml", xml: "xml", svg: "xml" },
};

/** A longer text would hold up the page. */
const MOST_CHARACTERS = 20_000;

/**
 * @param {Element} code
 * @param {string} language as the model named it
 * @param {Writer} write
 */
export async function colour(code, language, write) {
  const name = Object.hasOwn(GRAMMARS, language) ? GRAMMARS[language] : undefined;
  const text = code.textContent ?? "";
  if (!name || text.length > MOST_CHARACTERS) return;
  const files = Promise.all([load("highlight"), load(`highlight.${name}`)]);
  const [highlight, grammar] = await files.catch(() => []); // the text stays as it is
  if (!grammar) return;
  if (!highlight.getLanguage(name)) highlight.registerLanguage(name, grammar);
  write(code, highlight.highlight(text, { language: name, ignoreIllegals: true }).value);
}
