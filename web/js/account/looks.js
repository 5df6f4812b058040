/** How the page looks and speaks on this device. */

import { chooseLanguage } from "../switches.js";
import { chosenSize, chosenTheme, chooseSize, chooseTheme, SIZES, THEMES } from "../theme.js";
import { translator } from "../words.js";
import { choices, section } from "./section.js";

/** @type {readonly Language[]} */
const LANGUAGES = ["en", "es"];

export function looks() {
  return section(
    "looks",
    choices(
      "account.language",
      LANGUAGES.map((each) => [each, /** @type {Key} */ (`account.language.${each}`)]),
      translator.language,
      chooseLanguage,
    ),
    choices(
      "account.theme",
      THEMES.map((each) => [each, /** @type {Key} */ (`account.theme.${each}`)]),
      chosenTheme(),
      chooseTheme,
    ),
    choices(
      "account.size",
      SIZES.map((each) => [each, "account.percent", { percent: each }]),
      chosenSize(),
      chooseSize,
    ),
  );
}
