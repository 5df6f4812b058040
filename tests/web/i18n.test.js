// The page's words: both catalogues say the same things, and say them everywhere.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { bestLanguage, Translator } from "../../web/js/i18n.js";

const web = new URL("../../web/", import.meta.url);

/** @param {string} path */
const read = (path) => readFileSync(new URL(path, web), "utf8");

const en = JSON.parse(read("i18n/en.json"));
const es = JSON.parse(read("i18n/es.json"));
const page = read("index.html");
const code = readdirSync(new URL("js/", web))
  .map((name) => read(`js/${name}`))
  .join("\n");

/** @param {unknown} entry */
const places = (entry) => [...new Set(JSON.stringify(entry).match(/\{\w+\}/g))].sort();

test("both catalogues have the same keys in the same order", () => {
  assert.deepEqual(Object.keys(es), Object.keys(en));
});

test("both catalogues fill in the same values and have every plural form they need", () => {
  for (const [key, entry] of Object.entries(en)) {
    assert.deepEqual(places(es[key]), places(entry), key);
    assert.equal(typeof es[key], typeof entry, key);
    if (typeof entry === "object") assert.deepEqual(Object.keys(es[key]), Object.keys(entry), key);
  }
});

test("no entry is empty, and only names and units are alike in both", () => {
  const alike = Object.keys(en).filter(
    (key) => JSON.stringify(en[key]) === JSON.stringify(es[key]),
  );
  assert.deepEqual(alike, ["answer.model", "answer.latency", "answer.rate"]);
  for (const entry of [en, es].flatMap(Object.values)) assert.ok(JSON.stringify(entry).length > 2);
});

test("every key of the page exists, and every key is used", () => {
  const keys = [...page.matchAll(/data-i18n(?:-\w+)?="([^"]+)"/g)].map(([, key]) => key ?? "");
  for (const key of keys) assert.ok(key in en, key);
  for (const key of Object.keys(en)) {
    const family = `\`${key.split(".")[0]}.\${`;
    assert.ok(keys.includes(key) || code.includes(`"${key}"`) || code.includes(family), key);
  }
});

test("the page's own markup holds no words but the name and what works without scripts", () => {
  const visible = page
    .replace(/<head>.*<\/head>|<noscript>.*<\/noscript>|<!--.*?-->/gs, "")
    .replace(/<[^>]*>/g, " ");
  assert.equal(visible.trim(), "Tiza");
});

test("the reader's first known language is chosen, else English", () => {
  assert.equal(bestLanguage(["fr-FR", "es-MX", "en"]), "es");
  assert.equal(bestLanguage(["EN-gb"]), "en");
  assert.equal(bestLanguage(["et", "de"]), "en");
  assert.equal(bestLanguage([]), "en");
});

test("numbers follow the reader's region and plurals the number", async () => {
  const translator = new Translator(
    async (language) => (language === "es" ? es : en),
    ["es-AR", "en-GB"],
  );
  await translator.use("es");
  assert.equal(translator.text("answer.latency", { seconds: 2.34 }), "2,34 s");
  assert.equal(translator.text("composer.left", { count: 1 }), "Queda 1 carácter");
  await translator.use("en");
  assert.equal(translator.text("answer.latency", { seconds: 2.34 }), "2.34 s");
  assert.equal(translator.text("composer.left", { count: 1234 }), "1,234 characters left");
});
