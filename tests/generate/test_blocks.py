"""Blocks of a document: what belongs together, where it stands, and what is left out."""

import time

from tiza.generate.blocks import Block, blocks
from tiza.generate.documents import text


def read(markdown: str) -> list[Block]:
    """Return the blocks of Markdown."""
    return blocks(text("a.md", markdown.encode()))


def test_headings_form_a_path_when_they_are_nested() -> None:
    """Both ways of writing them; a higher one closes the deeper ones."""
    found = read("# A ##\none\n\nB\n---\ntwo\n\n### C\nthree\n## D #1\nfour\n\nE\nF\n===\nfive\n")

    assert [(block.text, block.heading) for block in found if not block.level] == [
        ("one", ("A",)),
        ("two", ("A", "B")),
        ("three", ("A", "B", "C")),
        ("four", ("A", "D #1")),
        ("five", ("E F",)),
    ]


def test_code_and_tables_are_solid_when_they_contain_what_looks_like_markdown() -> None:
    """A heading in code is none; a table is a table only with the line below its head."""
    code = "```python\n# no heading\n\n<!-- no comment -->\n```"
    tilde = "~~~~\n```\n~~~\n~~~~"
    table = "| a | b |\n|---|:-:|\n| 1 | 2 |"

    found = read(f"{code}\n\n{tilde}\n\n{table}\n\na | b\n1 | 2\n\n```\nnever ends\n\n# x")

    assert [block.text for block in found if block.solid] == [
        code,
        tilde,
        table,
        "```\nnever ends\n\n# x",
    ]
    assert [block.text for block in found if not block.solid] == ["a | b\n1 | 2"]


def test_front_matter_and_comments_are_left_out_when_they_end() -> None:
    """What never ends is text; lines keep the numbers that they have in the file."""
    found = read("---\ntitle: x\n---\nOne <!-- a --> two\n\n<!-- b\n\nc --> three\n\nx <!-- y")

    assert [(block.text, block.lines[0].number) for block in found] == [
        ("One  two", 4),
        (" three", 8),
        ("x <!-- y", 10),
    ]
    assert [block.text for block in read("---\nNo key\n---\n\nText")][-1] == "Text"
    assert "No key" in read("---\nNo key\n---\n\nText")[0].text


def test_plain_text_has_paragraphs_only_when_it_looks_like_markdown() -> None:
    """In a .txt a sharp sign is a sharp sign."""
    found = blocks(text("a.txt", b"# one\n```\n\n---\n"))

    assert found == [
        Block(tuple(found[0].lines)),
        Block(tuple(found[1].lines)),
    ]
    assert [block.text for block in found] == ["# one\n```", "---"]


def test_time_grows_with_the_text_when_it_is_hostile() -> None:
    """Nothing is looked through again and again."""
    size = 30_000
    started = time.process_time()
    for part in ("<!--", "-->", "# ", "|-", " ", "`", "a. ", "```\n", "<!--\n", "-\n", "=\n", "#"):
        read(part * (size // len(part)))
        read("a\n" + part * (size // len(part)))

    assert time.process_time() - started < 8
