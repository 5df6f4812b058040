/** Takes conversations over from a file that the reader chooses. */

import { find } from "./dom.js";
import { Refusal } from "./failure.js";
import { takeOver } from "./library.js";
import { say } from "./toast.js";

/** @param {() => void} then what follows once they are there */
export function offerImport(then) {
  const button = find(document, "#import", HTMLButtonElement);
  const field = find(document, "#file", HTMLInputElement);
  button.addEventListener("click", () => field.click());
  field.addEventListener("change", async () => {
    const file = field.files?.[0];
    field.value = "";
    if (!file) return;
    await read(file);
    then();
  });
  button.disabled = false;
}

/** @param {File} file */
async function read(file) {
  try {
    const ids = await takeOver(await file.text());
    say("list.imported", { count: ids.length });
    const [only] = ids;
    if (ids.length === 1) location.hash = `#/c/${only}`;
  } catch (error) {
    const code = error instanceof Refusal ? error.failure.code : "internal";
    const unreadable = code === "invalid_request" || code === "body_too_large";
    say(unreadable ? "list.unreadable" : "list.failed");
  }
}
