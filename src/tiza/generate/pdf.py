"""Text from a PDF, by pypdf in a process of its own: a hostile file costs seconds, nothing more.

`pages()` starts that process; `main()` is it. The one place that knows pypdf.
"""

import json
import logging
import re
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

from tiza.errors import DocumentUnreadable
from tiza.translation import N_

SECONDS = 120
MEMORY_BYTES = 2_000_000_000
MOST_PAGES = 2_000
MOST_CHARACTERS = 20_000_000
EDGE_LINES = 2  # at the top and at the bottom of a page, where headers and footers are
FEWEST_PAGES = 3  # of a document in which something can be said to repeat

DAMAGED = N_("it cannot be read as a PDF ({reason}).")
ENCRYPTED = N_("the PDF asks for a password. Save it without one.")
SCANNED = N_("the PDF has no text, only pictures of pages. Recognise the text (OCR) first.")
TOO_LONG = N_("the PDF has more than {pages} pages or too much text. Split it.")
TOO_SLOW = N_("the PDF could not be read within {seconds} s or within the memory set aside for it.")
PROBLEMS = {"damaged": DAMAGED, "encrypted": ENCRYPTED, "long": TOO_LONG, "slow": TOO_SLOW}

DIGITS = re.compile(r"\d+")
HYPHENATED = re.compile(r"[^\W\d_]-$")


def pages(data: bytes, name: str) -> list[list[str]]:
    """Return the lines of each page, without headers, footers and hyphens at the ends of lines.

    Raises:
        DocumentUnreadable: damaged, encrypted, scanned, too long or too slow to read.

    """
    command = [sys.executable, "-m", "tiza.generate.pdf"]
    limits = {"pages": MOST_PAGES, "seconds": SECONDS}
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=SECONDS, check=False
        )
        answer = json.loads(done.stdout) if done.returncode == 0 else {"problem": "slow"}
    except subprocess.TimeoutExpired as exc:
        raise DocumentUnreadable(TOO_SLOW, path=name, **limits) from exc
    if "problem" in answer:
        reason = answer.get("reason", "")
        raise DocumentUnreadable(PROBLEMS[answer["problem"]], path=name, reason=reason, **limits)
    if not any(page.strip() for page in answer["pages"]):
        raise DocumentUnreadable(SCANNED, path=name)
    return mended(without_edges([page.splitlines() for page in answer["pages"]]))


def without_edges(pages: list[list[str]]) -> list[list[str]]:
    """Leave out the first and last lines that most pages share, whatever their numbers."""
    if len(pages) < FEWEST_PAGES:
        return pages
    tops = Counter(print_ for page in pages for print_ in {_print(line) for line in _top(page)})
    ends = Counter(print_ for page in pages for print_ in {_print(line) for line in _end(page)})
    return [_stripped(page, tops, ends, len(pages) / 2) for page in pages]


def mended(pages: list[list[str]]) -> list[list[str]]:
    """Put words together that a hyphen divides between two lines, also of two pages."""
    before: list[str] = []  # the page that has the last line so far
    for page in pages:
        whole: list[str] = []
        for line in page:
            holder = whole or before
            if holder and HYPHENATED.search(holder[-1]) and line[:1].islower():
                rest, _space, line = line.partition(" ")  # noqa: PLW2901  # what is left of it
                holder[-1] = holder[-1][:-1] + rest
            if line:
                whole.append(line)
            elif whole and whole[-1]:
                whole.append("")
        page[:] = whole
        before = page or before
    return pages


def _stripped(page: list[str], tops: Counter[str], ends: Counter[str], most: float) -> list[str]:
    first = next((n for n, line in enumerate(page) if tops[_print(line)] <= most), len(page))
    first = min(first, len(_top(page)))
    last = len(page)
    while last > max(first, len(page) - EDGE_LINES) and ends[_print(page[last - 1])] > most:
        last -= 1
    return page[first:last]


def _top(page: list[str]) -> list[str]:
    return page[:EDGE_LINES]


def _end(page: list[str]) -> list[str]:
    return page[-EDGE_LINES:]


def _print(line: str) -> str:
    return DIGITS.sub("#", " ".join(line.split()).casefold())


def _read() -> dict[str, object]:
    from io import BytesIO

    from pypdf import PasswordType, PdfReader
    from pypdf.errors import DependencyError

    logging.disable()  # of what pypdf mends on its way
    try:
        reader = PdfReader(BytesIO(sys.stdin.buffer.read()))
        if reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED:
            return {"problem": "encrypted"}
        if len(reader.pages) > MOST_PAGES:
            return {"problem": "long"}
        return _bounded(page.extract_text() for page in reader.pages)
    except DependencyError:  # a cipher that needs another package
        return {"problem": "encrypted"}
    except MemoryError:
        return {"problem": "slow"}
    except Exception as exc:  # noqa: BLE001  # in a damaged file pypdf raises whatever comes
        return {"problem": "damaged", "reason": str(exc)[:200] or type(exc).__name__}


def _bounded(texts: Iterator[str]) -> dict[str, object]:
    pages: list[str] = []
    left = MOST_CHARACTERS
    for text in texts:
        pages.append(text.encode("utf-8", "replace").decode())
        left -= len(text)
        if left < 0:
            return {"problem": "long"}
    return {"pages": pages}


def main() -> None:
    """Read a PDF from standard input and write what it says as JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    json.dump(_read(), sys.stdout)


if __name__ == "__main__":
    main()
