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
  if (health !== "connected") return;
  offerList?.();
  showModel(await activeModel());
}

await offerLanguages();
offerThemes();

const watch = new HealthWatch(showHealth);
const page = new Page({
  store: new Store(() => sessionStorage),
  onModel: showModel,
  onFailure: () => watch.now(),
  onAsked: () => list?.refresh(),
});
/** @type {import("./sidelist.js").SideList | undefined} */
let list;
/** @type {(() => Promise<void>) | undefined} while the list is wanted and not there yet */
let offerList;
watch.start();
fitMenu();
page.open();
suggest();
await new Places((id) => page.show(id)).start();

async function fetchList() {
  offerList = undefined;
  const fetched = await Promise.all([import("./sidelist.js"), import("./import.js")]).catch(() => {});
  if (!fetched) {
    offerList = fetchList; // when the service answers again
    return;
  }
  const [{ SideList }, { offerImport }] = fetched;
  list = new SideList(find(document, "#list", HTMLElement));
  offerImport(() => list?.refresh());
  document.addEventListener("who", () => list?.refresh());
}

// A telephone fetches the list when its drawer is opened.
const side = find(document, "#side", HTMLElement);
if (side.checkVisibility()) fetchList();
else new ResizeObserver((_, seen) => {
  if (!side.checkVisibility()) return;
  seen.disconnect();
  fetchList();
}).observe(side);
