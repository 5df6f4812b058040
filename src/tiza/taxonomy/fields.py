"""Take mappings, lists and texts out of YAML nodes; what is wrong becomes a finding with its place.

The one collector of findings while a lesson is read. Knows nodes and keys, not lessons.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tiza.taxonomy.compose import TEXT, foreign_tag, is_text
from tiza.taxonomy.finding import Finding, shown
from tiza.taxonomy.lesson import Place
from tiza.translation import N_

# What YAML makes of a plain value, in words; anything else is a number.
TYPES = {"bool": N_("yes or no"), "timestamp": N_("a date"), "merge": "<<", "value": "="}
NUMBER = N_("a number")
MOST_FINDINGS = (
    100  # about the form of one file: nobody reads more, and damaged files have thousands
)
LIKENESS = 0.7  # of a misspelt key to the one that is meant


@dataclass(frozen=True)
class Keys:
    """The keys that a mapping may have. `stray` is the rule for any other."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    stray: str = "unknown-key"

    @property
    def known(self) -> tuple[str, ...]:
        """All of them."""
        return self.required + self.optional


@dataclass
class Fields:
    """Reads nodes and keeps what it finds wrong."""

    findings: list[Finding] = field(default_factory=list)

    def add(self, rule: str, node: Node, **data: object) -> None:
        """Note that a rule is not kept where the node begins; after many, only that there are."""
        if len(self.findings) > MOST_FINDINGS:
            return
        if len(self.findings) == MOST_FINDINGS:
            rule, data = "too-many-problems", {"count": MOST_FINDINGS}
        mark = node.start_mark
        self.findings.append(Finding(rule, mark.line + 1, mark.column + 1, data))

    def mapping(self, node: Node, where: str) -> dict[str, Node] | None:
        """Return the values by key, or None if the node is no mapping."""
        if not isinstance(node, MappingNode) or self.tagged(node):
            self.add("not-a-mapping", node, where=where)
            return None
        values: dict[str, Node] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self.add("not-a-mapping", key, where=where)
                continue
            if key.value in values:
                self._note_again(key, node)
            else:
                values[key.value] = value
        return values

    def _note_again(self, key: ScalarNode, node: MappingNode) -> None:
        if len(self.findings) > MOST_FINDINGS:
            return
        first = next(k for k, _ in node.value if k.value == key.value)
        line = first.start_mark.line + 1
        self.add("duplicate-key", key, key=shown(key.value), first=line)

    def check_keys(
        self, node: MappingNode, values: Mapping[str, Node], keys: Keys, where: str
    ) -> None:
        """Note keys that are missing and keys that nobody reads."""
        missing = [name for name in keys.required if name not in values]
        known = keys.known
        for key, _value in node.value:
            if isinstance(key, ScalarNode) and key.value not in known:
                meant = self._meant(key.value, [*missing, *keys.optional])
                if meant and keys.stray == "unknown-key":
                    self.add("misspelt-key", key, key=shown(key.value), meant=meant[0])
                    missing = [name for name in missing if name != meant[0]]
                else:
                    self.add(keys.stray, key, key=shown(key.value), known=", ".join(known))
        for name in missing:
            self.add("missing-key", node, key=name, where=where)

    def _meant(self, name: str, known: list[str]) -> list[str]:
        if len(self.findings) > MOST_FINDINGS:
            return []
        return get_close_matches(name[:40], known, 1, LIKENESS)

    def text(self, node: Node | None, key: str, *, may_be_empty: bool = False) -> str:
        """Return a text; "" for a missing one or for something else, which is noted."""
        if node is None:
            return ""
        if node.tag is TEXT and (may_be_empty or node.value.strip()):
            return str(node.value)
        if self.tagged(node):
            return ""
        if not isinstance(node, ScalarNode):
            self.add("text-expected", node, key=key)
        elif is_text(node):
            if not may_be_empty and not node.value.strip():
                self.add("empty-text", node, key=key)
            return str(node.value)
        elif node.tag == "null":
            self.add("empty-text", node, key=key)
        else:
            kind = TYPES.get(node.tag, NUMBER)
            self.add("not-text", node, key=key, value=shown(node.value), type=kind)
        return ""

    def entries(self, node: Node | None, key: str) -> list[Node]:
        """Return the entries of a list; none for a missing one or something else."""
        if node is None:
            return []
        if not isinstance(node, SequenceNode) or self.tagged(node):
            self.add("not-a-list", node, key=key)
            return []
        return list(node.value)

    def texts(self, node: Node | None, key: str) -> tuple[str, ...]:
        """Return the texts of a list that must not be empty if it is there."""
        entries = self.entries(node, key)
        if node is not None and not entries and isinstance(node, SequenceNode):
            self.add("empty-list", node, key=key)
        return tuple(text for entry in entries if (text := self.text(entry, key)))

    def tagged(self, node: Node) -> bool:
        """Tell whether a node has a tag that lessons may not use, which is noted."""
        tag = foreign_tag(node)
        if tag is not None:
            self.add("yaml-tag", node, tag=shown(tag))
        return tag is not None


def place(node: Node) -> Place:
    """Return where a node begins."""
    mark = node.start_mark
    return _PLACE((mark.line + 1, mark.column + 1))


# Half the price of Place(line, column), which counts for a hundred thousand nodes.
_PLACE = partial(tuple.__new__, Place)
