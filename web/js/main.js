/**
 * Starts the page: words first, then the conversation, then the watch over the service.
 */

import "./leaving.js";

import { find } from "./dom.js";
import { activeModel, HealthWatch } from "./health.js";
import { fitMenu } from "./menu.js";
import { Page } from "./page.js";
import { Places } from "./places.js";
import { Store } from "./store.js";
import { suggest } from "./suggestions.js";
import { offerLanguages, offerThemes } from "./switches.js";
import { translator } from "./words.js";

/** @param {string} model */
function showModel(model) {
  if (model) find(document, "#model", HTMLElement).textContent = model;
}

/** @param {Health} health */
async function showHealth(health) {
  const status = find(document, "#status", HTMLElement);
  status.dataset["health"] = health;
  translator.set(find(status, ".words", HTMLElement), `status.${health}`);
  if (health === "connected") showModel(await activeModel());
}

await offerLanguages();
offerThemes();

const watch = new HealthWatch(showHealth);
const page = new Page({
  translator,
  store: new Store(() => sessionStorage),
  onModel: showModel,
  onFailure: () => watch.now(),
  onAsked: () => list?.refresh(),
});
/** @type {import("./sidelist.js").SideList | undefined} */
let list;
watch.start();
fitMenu();
page.open();
suggest();
await new Places((id) => page.show(id)).start();

async function offerList() {
  const [{ SideList }, { offerImport }] = await Promise.all([
    import("./sidelist.js"),
    import("./import.js"),
  ]);
  list = new SideList(find(document, "#list", HTMLElement));
  offerImport(() => list?.refresh());
  document.addEventListener("who", () => list?.refresh());
}

// A telephone fetches the list when its drawer is opened.
const side = find(document, "#side", HTMLElement);
if (side.checkVisibility()) offerList();
else new ResizeObserver((_, seen) => {
  if (!side.checkVisibility()) return;
  seen.disconnect();
  offerList();
}).observe(side);
