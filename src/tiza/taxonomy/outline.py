"""What stands in a lesson, and where, as plain texts: for forms, which know no YAML."""

from collections.abc import Iterator, Mapping, Sequence

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tiza.errors import LessonUneditable
from tiza.taxonomy.compose import compose
from tiza.taxonomy.lesson import Place

Plain = str | Mapping[str, "Plain"] | Sequence["Plain"]
NOTHING = "null"  # the tag of a value that was left out


def plain_content(text: str) -> Mapping[str, Plain]:
    """Return the keys, lists and texts of a lesson; whatever is no text becomes one.

    Raises:
        LessonUneditable: the text is no mapping in YAML, or has more than a lesson may have.

    """
    content = _plain(_root(text))
    assert isinstance(content, Mapping)  # noqa: S101  # as _root makes sure
    return content


def fields(text: str) -> list[tuple[Place, str]]:
    """Return where each key and item begins: `(Place(12, 5), "seed_examples/0/answer")`, in order.

    Raises:
        LessonUneditable: as by `plain_content`.

    """
    return sorted(_fields(_root(text), ""))


def _root(text: str) -> MappingNode:
    root = compose(text.removeprefix("\ufeff"))
    if not isinstance(root, MappingNode):
        raise LessonUneditable
    return root


def _plain(node: Node) -> Plain:
    if isinstance(node, MappingNode):
        return {_key(key): _plain(value) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [_plain(value) for value in node.value]
    return "" if node.tag == NOTHING else str(node.value)


def _key(node: Node) -> str:
    return str(node.value) if isinstance(node, ScalarNode) else ""


def _fields(node: Node, above: str) -> Iterator[tuple[Place, str]]:
    if isinstance(node, MappingNode):
        parts = [(key, _key(key), value) for key, value in node.value]
    elif isinstance(node, SequenceNode):
        parts = [(value, str(at), value) for at, value in enumerate(node.value)]
    else:
        return
    for beginning, name, value in parts:
        mark = beginning.start_mark
        yield Place(mark.line + 1, mark.column + 1), f"{above}{name}"
        yield from _fields(value, f"{above}{name}/")
