/**
 * What the reader wants of answers: the fields of a request that they have chosen, none by
 * default, so that the service's settings hold. Kept in this browser. Knows nothing of the page.
 */

import { Store } from "./store.js";

const store = new Store(() => localStorage);

/** @returns {Wanted} the fields to send with a question */
export function wanted() {
  const kept = store.read("wanted");
  return kept && typeof kept === "object" ? { ...kept } : {};
}

/**
 * A wish for a model that has gone would have every question refused: it is dropped.
 * @param {readonly string[]} models that are served
 */
export function keepServed(models) {
  const { model } = wanted();
  if (model && !models.includes(model)) want("model", undefined);
}

/**
 * @template {keyof Wanted} Name
 * @param {Name} name
 * @param {Wanted[Name] | undefined} value undefined: as the service has it
 */
export function want(name, value) {
  const { [name]: _, ...rest } = wanted();
  store.write("wanted", value === undefined ? rest : { ...rest, [name]: value });
}
