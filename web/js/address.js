/** What the fragment of an address means. Knows nothing of the page. */

/** @type {readonly ViewName[]} */
const VIEWS = ["lessons", "models", "stats", "account", "sign-in"];

/** What the API's links begin with. */
const LINK = /^#(?:invitation|password)=/;

/**
 * @param {string} fragment `#/lessons/mathematics`
 * @returns {Address} `{view: "lessons", rest: "mathematics"}`; for a conversation its id is the rest
 */
export function addressOf(fragment) {
  if (LINK.test(fragment)) return { view: "sign-in", rest: fragment.slice(1) };
  const [, name = "", rest = ""] = /^#\/([^/?]*)[/?]?(.*)$/.exec(fragment) ?? [];
  const view = VIEWS.find((each) => each === name);
  if (view) return { view, rest: decoded(rest) };
  return { view: "chat", rest: name === "c" ? decoded(rest) : "" };
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
