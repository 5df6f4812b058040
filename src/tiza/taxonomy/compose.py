"""YAML text → a tree of nodes with positions, within limits; never an exception, never a long wait.

libyaml does the reading through PyYAML, about thirty times as fast as pure Python. A lesson needs
few levels and few values, so limits stop bombs while they are read. Knows nothing of lessons.
"""

import re
from typing import Any

import yaml
from yaml._yaml import CParser
from yaml.nodes import Node, ScalarNode

from tiza.taxonomy.finding import Finding
from tiza.taxonomy.syntax import explain

MAX_DEPTH = 12
MAX_VALUES = 30_000
TEXT = "text"  # the tag of every text, however it was written
CORE = "tag:yaml.org,2002:"
TEXT_TAGS = (TEXT, f"{CORE}str")
KNOWN_TAGS = {f"{CORE}str": TEXT, f"{CORE}map": "", f"{CORE}seq": ""}
MAY_BE_ALIAS = re.compile(r"\*(?<![^\s\[\]{},:?-]\*)[^\s*]")
# The first characters of plain values that YAML 1.1 may read as something else than text.
_RESOLVERS = yaml.SafeLoader.yaml_implicit_resolvers


class _Limit(Exception):
    """Raised inside the parser to leave it; holds a rule and its data."""


class _Composer(CParser):
    """PyYAML's composer with our own resolver: counts while it reads."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = self._values = 0

    def descend_resolver(self, _parent: object, _index: object) -> None:
        self._depth += 1
        self._values += 1
        if self._depth > MAX_DEPTH:
            raise _Limit("too-deep", MAX_DEPTH)
        if self._values > MAX_VALUES:
            raise _Limit("too-many-values", MAX_VALUES)

    def ascend_resolver(self) -> None:
        self._depth -= 1

    def resolve(self, kind: type[Node], value: str, implicit: Any) -> str:
        if kind is not ScalarNode:
            return ""
        if not implicit[0] or value[:1] not in _RESOLVERS:
            return TEXT
        for tag, pattern in _RESOLVERS[value[:1]]:
            if pattern.match(value):
                return str(tag).removeprefix(CORE)
        return TEXT


def compose(text: str) -> Node | Finding | None:
    """Return the root of the document, what keeps it from being read, or None for an empty one."""
    composer = _Composer(text)
    try:
        root = composer.get_single_node()
    except _Limit as limit:
        rule, most = limit.args
        return Finding(rule, *_near(composer), {"limit": most})
    except yaml.YAMLError as exc:
        return explain(exc, text)
    if MAY_BE_ALIAS.search(text) and (alias := _first_alias(text)):
        return alias
    return root


def _near(composer: _Composer) -> tuple[int, int]:
    """Return where the parser is, by the token that it would read next."""
    try:
        event = composer.peek_event()
    except yaml.YAMLError:
        return 1, 1
    return _position(event)


def _first_alias(text: str) -> Finding | None:
    for event in yaml.parse(text, yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            return Finding("yaml-alias", *_position(event))
    return None


def _position(event: yaml.Event | None) -> tuple[int, int]:
    mark = event.start_mark if event else None
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def foreign_tag(node: Node) -> str | None:
    """Return the explicit tag of a node that lessons may not use."""
    tag = str(node.tag)
    if not tag or tag is TEXT:
        return None
    if ":" not in tag and not tag.startswith("!"):
        return None
    return None if tag in KNOWN_TAGS else tag


def is_text(node: Node) -> bool:
    """Tell whether a scalar is a text."""
    return node.tag in TEXT_TAGS
