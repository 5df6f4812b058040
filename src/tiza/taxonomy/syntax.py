"""What the YAML parser complains about, in a teacher's words.

libyaml says where it lost its way and names its own grammar; the mistake often stands before that
place. So the line itself is looked at, and the first known slip of the pen is named.
"""

import re

import yaml

from tiza.taxonomy.finding import Finding, shown

UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TAB_INDENT = re.compile(r"^[ ]*\t")
KEY_LINE = re.compile(r"^\s*(?:-\s+)*[\w.]+\s*:(?:\s|$)")
TIGHT_KEY = re.compile(r"^\s*(?:-\s+)*([A-Za-z_]\w*):[^\s/:]")
AFTER_QUOTE = re.compile(
    r"""^\s*(?:-\s+)*(?:\w+:\s+)?(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*[^\s#,:\]}]"""
)
STEERING = re.compile(r"^\s*(?:-\s+)*(?:\w+:\s+)([@`%&*!|>\[{\]},#?])")


def explain(error: yaml.YAMLError, text: str) -> Finding:
    """Turn a parser's error into a finding at the place of the mistake."""
    lines = text.splitlines() or [""]
    if not isinstance(error, yaml.MarkedYAMLError):
        return _unprintable(text, str(error))
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    return _Slip(lines, error, min(line, len(lines) - 1), column).finding()


def _unprintable(text: str, problem: str) -> Finding:
    found = UNPRINTABLE.search(text)
    if found is None:
        return Finding("yaml-syntax", 1, 1, {"problem": shown(problem)})
    before = text[: found.start()]
    column = found.start() - before.rfind("\n")
    code = f"U+{ord(found.group()):04X}"
    return Finding("unprintable-character", before.count("\n") + 1, column, {"code": code})


class _Slip:
    """The lines around the place where the parser stopped."""

    def __init__(
        self, lines: list[str], error: yaml.MarkedYAMLError, line: int, column: int
    ) -> None:
        self.lines, self.line, self.column = lines, line, column
        self.problem, self.context = error.problem or "", error.context or ""
        self.context_mark = error.context_mark
        self.here = lines[line]

    def finding(self) -> Finding:
        for look in (
            self._tab,
            self._several_documents,
            self._unclosed_quote,
            self._escape,
            self._tight_key,
            self._reserved,
            self._after_quote,
            self._colon,
            self._missing_colon,
            self._alias,
            self._indentation,
        ):
            if found := look():
                return found
        return self._at("yaml-syntax", problem=shown(self.problem or "?"))

    def _at(
        self, rule: str, line: int | None = None, column: int | None = None, **data: object
    ) -> Finding:
        line = self.line if line is None else line
        return Finding(rule, line + 1, (self.column if column is None else column) + 1, data)

    def _tab(self) -> Finding | None:
        """Find a tab in the indentation, on this line or the two before it."""
        for line in range(self.line, max(self.line - 3, -1), -1):
            if TAB_INDENT.match(self.lines[line]):
                return self._at("tab-indentation", line, self.lines[line].index("\t"))
        return None

    def _several_documents(self) -> Finding | None:
        if "expected a single document" in self.context or "document start" in self.problem:
            return self._at("several-documents") if self.here.startswith("---") else None
        return None

    def _unclosed_quote(self) -> Finding | None:
        mark = self.context_mark
        if "quoted scalar" not in self.context or mark is None or "escape" in self.problem:
            return None
        start = self.lines[mark.line][mark.column : mark.column + 1]
        return self._at("unclosed-quote", mark.line, mark.column, quote=start or '"')

    def _escape(self) -> Finding | None:
        return self._at("unknown-escape") if "escape" in self.problem else None

    def _tight_key(self) -> Finding | None:
        """Find `key:value`, here or where the parser began to look for a colon."""
        began = self.context_mark.line if self.context_mark else self.line
        for line in dict.fromkeys((began, self.line, max(self.line - 1, 0))):
            text = self.lines[min(line, len(self.lines) - 1)]
            if found := TIGHT_KEY.match(text):
                return self._at("no-space-after-colon", line, found.end() - 2, key=found.group(1))
        return None

    def _reserved(self) -> Finding | None:
        for line in dict.fromkeys((self.line, self._context_line())):
            if found := STEERING.match(self.lines[line]):
                return self._at("reserved-character", line, found.start(1), char=found.group(1))
        if "cannot start any token" in self.problem:
            return self._at("reserved-character", char=shown(self.here[self.column :][:1]))
        return None

    def _after_quote(self) -> Finding | None:
        for line in dict.fromkeys((self.line, max(self.line - 1, 0), self._context_line())):
            if found := AFTER_QUOTE.match(self.lines[line]):
                quote = self.lines[line].lstrip(" -").partition(": ")[2][:1]
                inner = "''" if quote == "'" else '\\"'
                return self._at("text-after-quote", line, found.end() - 1, inner=inner)
        return None

    def _context_line(self) -> int:
        line = self.context_mark.line if self.context_mark else self.line
        return min(line, len(self.lines) - 1)

    def _colon(self) -> Finding | None:
        if "mapping values are not allowed" not in self.problem:
            return None
        key = KEY_LINE.match(self.here)
        first = self.here.find(":")
        if key and first == self.column:
            return self._at("bad-indentation", column=_indent(self.here))
        return self._at("colon-in-text")

    def _missing_colon(self) -> Finding | None:
        if "could not find expected ':'" not in self.problem:
            return None
        line = self._context_line()
        return self._at("line-without-key", line, _indent(self.lines[line]))

    def _alias(self) -> Finding | None:
        return self._at("yaml-alias") if "alias" in self.problem else None

    def _indentation(self) -> Finding | None:
        if "block" in self.context or "expected <block end>" in self.problem:
            return self._at("bad-indentation")
        return None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
