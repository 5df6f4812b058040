// The page's words: both catalogues say the same things, and say them everywhere.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { bestLanguage, Translator } from "../../web/js/i18n.js";

const web = new URL("../../web/", import.meta.url);

/** @param {string} path */
const read = (path) => readFileSync(new URL(path, web), "utf8");

/** @param {string} path */
const parse = (path) => JSON.parse(read(path));

const files = readdirSync(new URL("i18n/", web));
const views = files.filter((name) => name.endsWith(".en.json")).map((name) => name.split(".")[0]);
const en = Object.assign({}, parse("i18n/en.json"), ...views.map((v) => parse(`i18n/${v}.en.json`)));
const es = Object.assign({}, parse("i18n/es.json"), ...views.map((v) => parse(`i18n/${v}.es.json`)));
const page = read("index.html");
const code = readdirSync(new URL("js/", web), { encoding: "utf8", recursive: true })
  .filter((name) => name.endsWith(".js"))
  .map((name) => read(`js/${name}`))
  .join("\n");

/** @param {unknown} entry */
const places = (entry) => [...new Set(JSON.stringify(entry).match(/\{\w+\}/g))].sort();

test("both catalogues have the same keys in the same order", () => {
  assert.deepEqual(Object.keys(es), Object.keys(en));
});

test("each view's catalogue is there in both languages and keeps to keys of its own name", () => {
  assert.equal(files.length, 2 + 2 * views.length);
  for (const view of views) {
    const keys = Object.keys(parse(`i18n/${view}.en.json`));
    assert.deepEqual(Object.keys(parse(`i18n/${view}.es.json`)), keys, view);
    for (const key of keys) assert.ok(key.startsWith(`${view}.`), key);
  }
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
  const units = [
    "account.language.en",
    "account.language.es",
    "account.percent",
    "answer.latency",
    "answer.model",
    "answer.rate",
    "models.percent",
    "models.size",
    "models.took",
    "stats.count",
    "stats.number",
    "stats.seconds",
    "versions.which",
  ];
  assert.deepEqual(alike.sort(), units);
  for (const entry of [en, es].flatMap(Object.values)) assert.ok(JSON.stringify(entry).length > 2);
});

test("every key of the page exists, and every key is used", () => {
  const keys = [...page.matchAll(/data-i18n(?:-\w+)?="([^"]+)"/g)].map(([, key]) => key ?? "");
  for (const key of keys) assert.ok(key in en, key);
  for (const key of Object.keys(en)) {
    const parts = key.split(".").slice(0, -1);
    const families = parts.map((_, at) => `\`${parts.slice(0, at + 1).join(".")}.\${`);
    const inFamily = families.some((family) => code.includes(family));
    assert.ok(keys.includes(key) || code.includes(`"${key}"`) || inFamily, key);
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

test("the words of a view come when it is opened and follow the language", async () => {
  const words = {
    "en ": { "a.b": "page" },
    "es ": { "a.b": "página" },
    "en lessons": { "lessons.title": "Lessons" },
    "es lessons": { "lessons.title": "Lecciones" },
  };
  /** @type {string[]} */
  const read = [];
  const translator = new Translator(async (language, view) => {
    read.push(`${language} ${view}`);
    return words[/** @type {keyof typeof words} */ (`${language} ${view}`)];
  }, []);
  await translator.use("en");
  await translator.load("lessons");
  await translator.load("lessons");
  assert.deepEqual(read, ["en ", "en lessons"]);
  assert.equal(translator.text(/** @type {any} */ ("lessons.title")), "Lessons");
  await translator.use("es");
  assert.equal(translator.text(/** @type {any} */ ("lessons.title")), "Lecciones");
  assert.equal(translator.text(/** @type {any} */ ("a.b")), "página");
});
