/**
 * Who reads this page, as the service tells it, and the way to sign in and back again.
 * `who` is fired on the document when that changes. Addresses are relative to the page.
 * Knows nothing of how it is shown.
 */

import { Store } from "./store.js";

const store = new Store(() => sessionStorage);
const SIGN_IN = "#/sign-in";
const WAYS_IN = [SIGN_IN, "#invitation=", "#password="];
const HERE = ["localhost", "127.0.0.1", "[::1]"];

/** Until the service has told: somebody who may ask, and no more. @type {Who} */
const STRANGER = {
  mode: "open",
  name: "",
  role: "guest",
  signIn: "",
  signedIn: false,
  mayTeach: false,
  mayOperate: false,
  quota: {},
};

/** @type {Promise<Who> | undefined} */
let found;

/** @returns {Promise<Who>} asked once; never refused */
export function who() {
  found ??= find();
  return found;
}

/** Ask again and tell the page: somebody signed in or out. */
export async function lookAgain() {
  found = undefined;
  const now = await who();
  document.dispatchEvent(new CustomEvent("who", { detail: now }));
  return now;
}

/** The service answered 401: go to sign in, and come back here afterwards. */
export function signInFirst() {
  if (WAYS_IN.some((way) => location.hash.startsWith(way))) return;
  store.write("back", location.hash);
  found = undefined;
  location.hash = SIGN_IN;
}

/** Where somebody wanted to go who had to sign in first; the new chat if nowhere. */
export function wayBack() {
  const back = store.read("back");
  store.write("back", null);
  return typeof back === "string" && back.startsWith("#/") ? back : "#/";
}

/** @returns {Promise<Who>} */
async function find() {
  try {
    const response = await get("api/me");
    if (response.ok) return known(await response.json());
    if (response.status === 401) return unknown(await (await get("api/auth")).json());
  } catch {
    // told below: somebody of whom nothing is known
  }
  found = undefined;
  return STRANGER;
}

/** @param {string} path */
function get(path) {
  return fetch(path, { cache: "no-store" });
}

/**
 * @param {Pick<Who, "mode" | "name" | "role" | "quota">} me
 * @returns {Who}
 */
function known({ mode, name, role, quota }) {
  const open = mode === "open";
  return {
    ...STRANGER,
    mode,
    name,
    role,
    quota,
    signedIn: !open,
    mayTeach: open || role === "teacher" || role === "admin",
    mayOperate: role === "admin" || (open && HERE.includes(location.hostname)),
  };
}

/**
 * @param {{mode: Mode, sign_in: string}} entrance
 * @returns {Who}
 */
function unknown({ mode, sign_in }) {
  return { ...STRANGER, mode, signIn: sign_in && `api${sign_in}` };
}
