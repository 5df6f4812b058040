"""Write into a lesson without touching what a person wrote: comments, order and quotes stay.

The only place that uses ruamel.yaml, which keeps all of that but reads some thirty times slower
than `compose`.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark, YAMLError
from ruamel.yaml.scalarstring import (
    DoubleQuotedScalarString,
    FoldedScalarString,
    LiteralScalarString,
)
from ruamel.yaml.tokens import CommentToken

from tiza.errors import LessonUneditable
from tiza.taxonomy.outline import Plain, plain_content

AMBIGUOUS = re.compile(r"(?i:y|n|yes|no|on|off)|[-+.]?\d[\d_:.,+\-a-fox]*")  # no text in YAML 1.1
FOLD_FROM = 70  # characters, from which a text goes below its key
WIDTH = 80
BLOCKS = (FoldedScalarString, LiteralScalarString)  # they end their last line themselves


class LessonFile:
    """The content of a `qna.yaml`, as mappings and lists that remember their comments."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content: Any = _yaml().load(path.read_text("utf-8"))

    def add_example(
        self, question: str, answer: str, paraphrases: Sequence[str] = (), context: str = ""
    ) -> None:
        """Add a pair at the end of the seed examples."""
        texts = {"context": context, "question": question, "answer": answer}
        entry = CommentedMap((key, _scalar(text)) for key, text in texts.items() if text)
        if paraphrases:
            entry["paraphrases"] = CommentedSeq(_scalar(text) for text in paraphrases)
        examples = self.content["seed_examples"]
        gap = _take_gap(examples)
        examples.append(entry)
        _give_gap(examples, gap)

    def text(self) -> str:
        """Return the file as it will be written."""
        stream = StringIO()
        _yaml().dump(self.content, stream)
        return stream.getvalue()

    def save(self) -> None:
        """Write the file; whoever reads it meanwhile sees the old one or the new one, whole."""
        part = self.path.with_name(f".{self.path.name}.part")
        part.write_text(self.text(), "utf-8")
        part.replace(self.path)


def edited(text: str, content: Mapping[str, Plain]) -> str:
    """Return a lesson's text with other content: keys, lists and texts as `plain_content` has them.

    What is equal stays as it was written; empty texts and lists are not written where there was
    nothing before.

    Raises:
        LessonUneditable: the text is no mapping in YAML.

    """
    root = _loaded(text)
    _put_into(root, content)
    stream = StringIO()
    _yaml().dump(root, stream)
    return stream.getvalue()


def _loaded(text: str) -> CommentedMap:
    plain_content(text)  # keeps to the limits of `compose`, which ruamel.yaml does not know
    try:
        root = _yaml().load(text)
    except (YAMLError, ValueError) as exc:
        raise LessonUneditable from exc
    if not isinstance(root, CommentedMap):
        raise LessonUneditable
    return root


def _plain(node: Any) -> Plain:
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list | tuple | set):
        return [_plain(value) for value in node]
    return "" if node is None else str(node)


def _put_into(node: CommentedMap, content: Mapping[str, Plain]) -> None:
    for key in [key for key in node if key not in content]:
        del node[key]
    for key, value in content.items():
        if key not in node:
            if value:
                node[key] = _made(value)
        elif _plain(node[key]) != value:
            node[key] = _changed(node[key], value)


def _changed(node: Any, value: Plain) -> Any:
    """Return what stands in a node's place, which is itself where it can be."""
    if isinstance(node, CommentedMap) and isinstance(value, Mapping):
        _put_into(node, value)
        return node
    if isinstance(node, CommentedSeq) and not isinstance(value, str | Mapping):
        gap = _take_gap(node) if node else ""
        _put_in_order(node, value)
        if node:
            _give_gap(node, gap)
        return node
    return _made(value)


def _put_in_order(node: CommentedSeq, values: Sequence[Plain]) -> None:
    before = [repr(_plain(each)) for each in node]
    matcher = SequenceMatcher(None, before, [repr(value) for value in values], autojunk=False)
    for tag, start, end, first, last in reversed(matcher.get_opcodes()):
        if tag == "equal":
            continue
        both = min(end - start, last - first)
        for at in reversed(range(start + both, end)):
            del node[at]
        for value in reversed(values[first + both : last]):
            node.insert(start + both, _made(value))
        for at in range(both):
            node[start + at] = _changed(node[start + at], values[first + at])


def _made(value: Plain) -> Any:
    if isinstance(value, str):
        return _scalar(value) if value else None
    if isinstance(value, Mapping):
        return CommentedMap((key, _made(each)) for key, each in value.items() if each)
    return CommentedSeq(_made(each) for each in value)


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _take_gap(node: Any) -> str:
    """Take the blank lines and comments after the last value, which stand before the next key."""
    holder, key = _last(node)
    parts = holder.ca.items.pop(key, None) or ()
    text = next((str(part.value) for part in parts if part), "")
    return f"\n{text}" if text and isinstance(holder[key], BLOCKS) else text


def _give_gap(node: Any, gap: str) -> None:
    """Put them after what is now the last value."""
    holder, key = _last(node)
    if isinstance(holder[key], BLOCKS):
        gap = gap.removeprefix("\n")
    if gap:
        token = CommentToken(gap, CommentMark(0), None)
        in_list = isinstance(holder, CommentedSeq)
        holder.ca.items[key] = [token, None] if in_list else [None, None, token, None]


def _last(node: Any) -> tuple[Any, Any]:
    """Return the innermost mapping or list that ends a node, and its last key or index."""
    while True:
        key = len(node) - 1 if isinstance(node, CommentedSeq) else next(reversed(node))
        if not isinstance(node[key], CommentedMap | CommentedSeq) or not node[key]:
            return node, key
        node = node[key]


def _scalar(text: str) -> Any:
    if AMBIGUOUS.fullmatch(text):
        return DoubleQuotedScalarString(text)
    if "\n" in text:
        return LiteralScalarString(text)
    if len(text) < FOLD_FROM:
        return text
    folded = FoldedScalarString(text)
    folded.fold_pos = _fold_positions(text)
    return folded


def _fold_positions(text: str) -> list[int]:
    """Return the spaces at which lines of a comfortable width end."""
    positions, start = [], 0
    for at, char in enumerate(text):
        if char == " " and at - start > FOLD_FROM:
            positions.append(at)
            start = at
    return positions
