"""Write into a lesson without touching what a person wrote: comments, order and quotes stay.

The only place that uses ruamel.yaml, which keeps all of that but reads some thirty times slower
than `compose`.
"""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark
from ruamel.yaml.scalarstring import FoldedScalarString, LiteralScalarString
from ruamel.yaml.tokens import CommentToken

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
    if len(text) < FOLD_FROM or "\n" in text:
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
