/**
 * Starts the page: words first, then the conversation, then the watch over the service.
 */

import { find } from "./dom.js";
import { activeModel, HealthWatch } from "./health.js";
import { Translator } from "./i18n.js";
import { Page } from "./page.js";
import { Store } from "./store.js";
import { offerLanguages, offerThemes } from "./switches.js";

/** @param {string} language */
async function loadWords(language) {
  const response = await fetch(new URL(`../i18n/${language}.json`, import.meta.url));
  return response.json();
}

/** @param {string} model */
function showModel(model) {
  if (model) find(document, "#model", HTMLElement).textContent = model;
}

/**
 * @param {Translator} translator
 * @param {Health} health
 */
async function showHealth(translator, health) {
  const status = find(document, "#status", HTMLElement);
  status.dataset["health"] = health;
  translator.set(find(status, ".words", HTMLElement), `status.${health}`);
  if (health === "connected") showModel(await activeModel());
}

const translator = new Translator(loadWords, navigator.languages);
await offerLanguages(translator, new Store(() => localStorage));
offerThemes(translator);

const watch = new HealthWatch((health) => showHealth(translator, health));
const page = new Page({
  translator,
  store: new Store(() => sessionStorage),
  onModel: showModel,
  onFailure: () => watch.now(),
});
watch.start();
await page.open();
