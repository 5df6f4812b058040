// The page as files: small, self-contained, and fit for its content security policy.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { gzipSync } from "node:zlib";

const web = new URL("../../web/", import.meta.url);
const page = readFileSync(new URL("index.html", web), "utf8");
const modules = readdirSync(new URL("js/", web)).filter((name) => name.endsWith(".js"));

/** @param {string} text @param {RegExp} pattern */
const all = (text, pattern) => [...text.matchAll(pattern)].map(([, found]) => found ?? "");

/** @param {Iterable<string>} files */
function weight(files) {
  const weights = [...files].map((name) => gzipSync(readFileSync(new URL(name, web))).length);
  return weights.reduce((sum, bytes) => sum + bytes, 0);
}

/** The modules that one of them needs before it runs. @param {string} name @returns {string[]} */
function needed(name) {
  const source = readFileSync(new URL(`js/${name}`, web), "utf8");
  const direct = all(source, /^(?:import|\} from)[^;]*?"\.\/([\w.]+)";$/gm);
  return [name, ...direct.flatMap(needed)];
}

const scripts = all(page, /(?:src|href)="js\/([^"]+\.js)"/g);

test("the first visit loads at most 36 KB gzipped, and one with list and question 96 KB", () => {
  const drawings = [...all(page, /href="(\w+\.css)"/g), "board.svg", "chalk.svg", "icon.svg"];
  const frame = ["index.html", "i18n/es.json", ...drawings];
  const libraries = ["vendor/marked.js", "vendor/purify.js"];
  const chat = new Set([...scripts, ...["chat.js", "sidelist.js", "import.js"].flatMap(needed)]);
  assert.ok(weight([...frame, ...scripts.map((name) => `js/${name}`)]) <= 36 * 1024);
  assert.ok(weight([...frame, ...[...chat].map((name) => `js/${name}`), ...libraries]) <= 96 * 1024);
});

test("every module of the first visit is fetched at once, and no other", () => {
  const first = new Set([...needed("main.js"), ...needed("theme.js"), "start.js"]);
  assert.deepEqual([...scripts].sort(), [...first].sort());
});

test("nothing is inline and nothing comes from elsewhere", () => {
  assert.doesNotMatch(page, /<style|<script(?![^>]*\ssrc=)|\son\w+=|\sstyle=/i);
  assert.doesNotMatch(page, /(?:src|href)="(?:\w+:)?\/\//);
});

test("no module makes HTML or code out of text, but the sanitiser", () => {
  for (const name of modules) {
    const source = readFileSync(new URL(`js/${name}`, web), "utf8");
    const sinks = source.match(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/g,
    );
    assert.deepEqual(sinks ?? [], name === "sanitize.js" ? ["innerHTML"] : [], name);
  }
});

test("colours are named in one place a theme, so that dark changes them all", () => {
  const dark = readFileSync(new URL("dark.css", web), "utf8");
  const light = readFileSync(new URL("style.css", web), "utf8");
  const names = (/** @type {string} */ css) => all(css, /^\s+(--[\w-]+):/gm);
  for (const name of names(dark)) assert.ok(names(light).includes(name), name);
});
