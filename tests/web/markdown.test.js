// What becomes of a model's Markdown before the sanitiser sees it, and how growing text is cut.

import assert from "node:assert/strict";
import test from "node:test";
import { blocks, preview, split, toHtml } from "../../web/js/markdown.js";

/** @param {string} markdown */
const html = (markdown) => toHtml(blocks(markdown)).trim();

const LESSON = `# Lists

A list keeps **values** in order.

1. Write \`[1, 2]\`.

2. Read it:

   \`\`\`python
   x = [1, 2]
   \`\`\`

3. Done.

| a | b |
|---|--:|
| 1 | 2 |

- one
- two

> A quote.

The end`;

test("headings stand below the page's own three levels", () => {
  assert.equal(html("# A"), "<h4>A</h4>");
  assert.equal(html("## A"), "<h4>A</h4>");
  assert.equal(html("### A"), "<h5>A</h5>");
  assert.equal(html("###### A"), "<h6>A</h6>");
});

test("a web or mail address opens elsewhere and learns nothing of the page", () => {
  assert.equal(
    html("[a](https://example.org/?b=1&c=2)"),
    '<p><a href="https://example.org/?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">a</a></p>',
  );
  assert.match(html("[a](mailto:a@example.org)"), /href="mailto:a@example.org"/);
  assert.match(html("see https://example.org now"), /href="https:\/\/example.org\/"/);
});

test("any other address is only its text", () => {
  const others = [
    "javascript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///a",
    "/a",
    "#a",
    "ftp://a.b",
  ];
  for (const address of others) assert.equal(html(`[a](${address})`), "<p>a</p>");
  assert.doesNotMatch(html("[a](<java\nscript:alert(1)>)"), /<a/);
});

test("a picture is a link and is never loaded", () => {
  assert.equal(
    html("![a <b>](https://example.org/x.png)"),
    '<p><a href="https://example.org/x.png" target="_blank" rel="noopener noreferrer">a &lt;b&gt;</a></p>',
  );
  assert.equal(html("![a](data:image/png;base64,AA)"), "<p>a</p>");
});

test("plain tags keep their meaning", () => {
  assert.equal(html("H<sub>2</sub>O<br>x"), "<p>H<sub>2</sub>O<br>x</p>");
});

test("every other tag is shown as it was written", () => {
  assert.equal(
    html("a <img src=x onerror=alert(1)> b"),
    "<p>a &lt;img src=x onerror=alert(1)&gt; b</p>",
  );
  assert.equal(html("<b onclick=x>a"), "<p>&lt;b onclick=x&gt;a</p>");
  assert.equal(
    html("<script>alert(1)</script>"),
    "<pre><code>&lt;script&gt;alert(1)&lt;/script&gt;</code></pre>",
  );
  assert.equal(
    html("<form>\n<input>\n</form>"),
    "<pre><code>&lt;form&gt;\n&lt;input&gt;\n&lt;/form&gt;</code></pre>",
  );
});

test("a table scrolls inside its own frame", () => {
  assert.match(html("|a|\n|-|\n|b|"), /^<div class="scroll"><table>.*<\/table>\s*<\/div>$/s);
});

test("a task list has marks, not form fields", () => {
  const list = html("- [x] a\n- [ ] b");
  assert.match(list, /☑ a/);
  assert.match(list, /☐ b/);
  assert.doesNotMatch(list, /<input/);
});

test("text that grows character by character freezes into the same HTML as the whole", () => {
  let frozen = "";
  let rest = "";
  for (const character of LESSON) {
    const cut = split(rest + character);
    frozen += toHtml(cut.finished);
    rest = cut.rest;
    assert.equal(typeof toHtml(blocks(preview(rest))), "string");
  }
  assert.equal(frozen + toHtml(blocks(rest)), toHtml(blocks(LESSON)));
});

test("what is frozen and what is left make up the text", () => {
  for (let length = 0; length <= LESSON.length; length += 1) {
    const text = LESSON.slice(0, length);
    const { finished, rest } = split(text);
    assert.equal(finished.map(({ raw }) => raw).join("") + rest, text);
  }
});

test("a finished list is not cut while the next item may still begin", () => {
  for (const next of ["", "2", "2.", "2. "])
    assert.deepEqual(split(`1. a\n\n${next}`).finished, []);
});

test("a last line that may become anything is not shown yet", () => {
  for (const line of [
    "-",
    "--",
    "#",
    "## ",
    "* ",
    "12",
    "12.",
    ">",
    "``",
    "|",
    "| a | b |",
    "| a |\n|--",
  ]) {
    assert.equal(preview(`Text\n${line}`), "Text");
  }
});

test("a table is shown from its first line on, row by row", () => {
  const head = "| a | b |\n|---|---|";
  assert.equal(preview(`${head}\n`), `${head}\n`);
  assert.equal(preview(`${head}\n| 1 |`), head);
  assert.equal(preview(`${head}\n|`), head);
  assert.equal(preview(`${head}\n| 1 | 2 |\n| 3`), `${head}\n| 1 | 2 |`);
});

test("open marks are closed and half links are their text", () => {
  assert.equal(preview("a **bold"), "a **bold**");
  assert.equal(preview("a **bold "), "a **bold**");
  assert.equal(preview("a **bold*"), "a **bold**");
  assert.equal(preview("a **"), "a ");
  assert.equal(preview("a `cod"), "a `cod`");
  assert.equal(preview("a `"), "a ");
  assert.equal(preview("a [link](https://exam"), "a link");
  assert.equal(preview("**done** and `done`"), "**done** and `done`");
  assert.equal(preview("2 ** 3 and 4"), "2 ** 3 and 4");
});

test("code is shown as it comes", () => {
  assert.equal(preview("```python\nf(**options"), "```python\nf(**options");
});

test("what stands between the marks of a formula is kept as TeX; a price is no formula", () => {
  const html = (/** @type {string} */ text) => toHtml(blocks(text));
  assert.match(html("so $a_1*b*c$ is"), /<code class="language-math">a_1\*b\*c<\/code>/);
  assert.match(html("so \\(x < y\\) is"), /<code class="language-math">x &lt; y<\/code>/);
  assert.match(html("$$\nx\n- 2\n$$\n"), /<pre><code class="language-math">x\n- 2<\/code><\/pre>/);
  assert.match(html("\\[x^2\\]"), /<pre><code class="language-math">x\^2<\/code><\/pre>/);
  for (const price of ["$5 or $10", "a $ b $ c", "`$x$`", "US$5, A$7"]) {
    assert.doesNotMatch(html(price), /language-math/, price);
  }
});

test("a formula that is still being written is not taken for a list", () => {
  assert.deepEqual(split("$$\nx\n- 2 y\n- 3"), { finished: [], rest: "$$\nx\n- 2 y\n- 3" });
});

test("the beginning of a very long list is finished, and its end counts on", () => {
  const text = Array.from({ length: 100 }, (_, n) => `${n + 1}. item\n`).join("");
  const { finished, rest } = split(text);
  assert.equal(finished.length, 1);
  assert.match(rest, /^8[0-2]\. item\n/);
  assert.match(toHtml(blocks(rest)), /<ol start="8[0-2]">/);
});
