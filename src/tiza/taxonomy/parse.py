"""The bytes of a `qna.yaml` → a `Lesson` and everything that is wrong with its form.

Follows InstructLab's JSON Schemas (instructlab-schema 0.4.2, versions 1 to 3) key by key, and adds
Tiza's simple form and its optional extensions. Tells the forms apart by their shape. Knows no file
system: whoever calls has read the bytes.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tiza.taxonomy.compose import compose
from tiza.taxonomy.fields import Fields, Keys, place
from tiza.taxonomy.finding import Finding
from tiza.taxonomy.lesson import Document, Example, Form, Kind, Lesson, Place
from tiza.taxonomy.rules import RULES, Severity

EXTENSIONS = ("language", "exam")
PAIR = Keys(("question", "answer"), ("paraphrases",))
PAIR_IN_CONTEXT = Keys(PAIR.required, PAIR.optional, stray="unused-key")
SKILL_EXAMPLE = Keys(("question", "answer"), ("context", "paraphrases"))
KNOWLEDGE_EXAMPLE = Keys(("context", "questions_and_answers"))
REMOTE = Keys(("repo", "commit", "patterns"))
LOCAL = Keys(("path",))
SKILL = Keys(
    ("version", "created_by", "task_description", "seed_examples"), ("domain", *EXTENSIONS)
)
SKILL_V1 = Keys(("created_by", "task_description", "seed_examples"), ("version", *EXTENSIONS))
KNOWLEDGE = Keys(
    ("version", "created_by", "domain", "document_outline", "document", "seed_examples"),
    EXTENSIONS,
)
SIMPLE_KNOWLEDGE = Keys(
    ("version", "created_by", "domain", "task_description", "seed_examples"), EXTENSIONS
)
NEWEST = 3
FEWEST_EXAMPLES, FEWEST_PAIRS = 5, 3
LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?(-[A-Za-z\d]{5,8})*")


@dataclass(frozen=True)
class Reading:
    """What was read. With errors among the findings, the lesson is a draft: valid parts only."""

    lesson: Lesson | None
    findings: Sequence[Finding] = field(default_factory=list)

    @property
    def valid(self) -> bool:
        """Whether the lesson can be taught."""
        return not any(RULES[f.rule_id].severity is Severity.ERROR for f in self.findings)


def parse(data: bytes, path: Path, kind: Kind | None, digest: str = "") -> Reading:
    """Read a lesson. `kind` comes from its top folder; without one, from its shape.

    `digest` is the SHA-256 of the data, where it is known already.
    """
    text, findings = _decode(data)
    if text is None:
        return Reading(None, findings)
    root = compose(text)
    if isinstance(root, Finding):
        return Reading(None, [*findings, root])
    if root is None or (isinstance(root, ScalarNode) and not root.value):
        return Reading(None, [*findings, Finding("empty-file")])
    fields = Fields(findings)
    values = fields.mapping(root, "qna.yaml")
    if values is None or not isinstance(root, MappingNode):
        return Reading(None, findings)
    if not values:
        return Reading(None, [*findings, Finding("empty-file")])
    kind = kind or (Kind.KNOWLEDGE if "document" in values else Kind.COMPOSITIONAL)
    digest = digest or hashlib.sha256(data).hexdigest()
    lesson = _LessonReader(fields, root, values, kind).read(path, digest)
    return Reading(lesson, fields.findings)


def _decode(data: bytes) -> tuple[str | None, list[Finding]]:
    findings: list[Finding] = []
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as exc:
        before = data[: exc.start]
        line, column = before.count(b"\n") + 1, exc.start - before.rfind(b"\n")
        bad = {"byte": f"0x{data[exc.start]:02X}"}
        return None, [Finding("not-utf8", line, column, bad)]
    if text.startswith("\ufeff"):
        findings.append(Finding("byte-order-mark"))
        text = text[1:]
    return text, findings


class _LessonReader:
    """Reads one mapping as a lesson of a kind."""

    def __init__(
        self, fields: Fields, root: MappingNode, values: dict[str, Node], kind: Kind
    ) -> None:
        self.fields, self.root, self.values, self.kind = fields, root, values, kind
        self.version = self._version()
        self.form = self._form()

    def read(self, path: Path, digest: str) -> Lesson:
        """Read every key."""
        fields, values = self.fields, self.values
        fields.check_keys(self.root, values, self._keys(), "qna.yaml")
        if self.form is Form.V3 and self.kind is Kind.KNOWLEDGE:
            examples = self._contexts()
        else:
            examples = self._examples()
        return Lesson(
            path=path,
            kind=self.kind,
            form=self.form,
            version=self.version,
            hash=digest,
            created_by=fields.text(values.get("created_by"), "created_by"),
            language=self._language(),
            domain=fields.text(values.get("domain"), "domain") or None,
            task_description=fields.text(
                values.get("task_description"),
                "task_description",
                may_be_empty=self.form is Form.V1,
            ),
            document_outline=fields.text(values.get("document_outline"), "document_outline")
            or None,
            document=self._document(),
            examples=tuple(examples),
            exam=tuple(self._exam()),
            places={name: place(node) for name, node in values.items()},
        )

    def _version(self) -> int:
        """Return the version; a version that is missing counts as 1, as in the official parser."""
        node = self.values.get("version")
        if node is None:
            return 1
        if self.fields.tagged(node):
            return NEWEST
        text = node.value if isinstance(node, ScalarNode) else ""
        plain = isinstance(node, ScalarNode) and node.tag in ("int", "float")
        number = _whole(text) if plain else None
        versions = (NEWEST,) if self.kind is Kind.KNOWLEDGE else (1, 2, NEWEST)
        if number is not None and number in versions:
            return number
        self.fields.add("unsupported-version", node, version=f"`{text[:20]}`")
        return NEWEST

    def _form(self) -> Form:
        if self.kind is Kind.KNOWLEDGE:
            simple = "document" not in self.values and not self._has_contexts()
            return Form.SIMPLE if simple else Form.V3
        if "domain" in self.values:
            return Form.SIMPLE
        return (Form.V1, Form.V2, Form.V3)[self.version - 1]

    def _has_contexts(self) -> bool:
        """Look at the first example only: the rest must follow it."""
        examples = self.values.get("seed_examples")
        first = examples.value[:1] if examples and isinstance(examples.value, list) else []
        pairs = first[0].value if first and isinstance(first[0], MappingNode) else []
        return any(key.value in ("questions_and_answers", "context") for key, _ in pairs)

    def _keys(self) -> Keys:
        if self.kind is Kind.KNOWLEDGE:
            return SIMPLE_KNOWLEDGE if self.form is Form.SIMPLE else KNOWLEDGE
        return SKILL_V1 if self.form is Form.V1 else SKILL

    def _language(self) -> str | None:
        node = self.values.get("language")
        tag = self.fields.text(node, "language")
        if node is not None and tag and not LANGUAGE_TAG.fullmatch(tag):
            self.fields.add("bad-language-tag", node, tag=tag[:20])
            return None
        return tag or None

    def _examples(self) -> list[Example]:
        keys = PAIR if self.kind is Kind.KNOWLEDGE else SKILL_EXAMPLE
        entries = self._seed_entries(1 if self.form is Form.V1 else FEWEST_EXAMPLES)
        pairs = [(entry, self._pair(entry, keys, "`seed_examples`")) for entry in entries]
        if self.form is not Form.V1:
            self._note_repeated(
                [(entry, (e.context, e.question, e.answer)) for entry, e in pairs if e]
            )
        return [example for _, example in pairs if example]

    def _contexts(self) -> list[Example]:
        """Read knowledge with contexts, and give each question its context."""
        examples: list[Example] = []
        seen: list[tuple[Node, object]] = []
        for entry in self._seed_entries(FEWEST_EXAMPLES):
            values = self.fields.mapping(entry, "`seed_examples`")
            if values is None or not isinstance(entry, MappingNode):
                continue
            self.fields.check_keys(entry, values, KNOWLEDGE_EXAMPLE, "`seed_examples`")
            context = self.fields.text(values.get("context"), "context")
            pairs = self._pairs_of_context(values, context)
            seen.append((entry, (context, tuple((e.question, e.answer) for e in pairs))))
            examples += pairs
        self._note_repeated(seen)
        return examples

    def _pairs_of_context(self, values: dict[str, Node], context: str) -> list[Example]:
        node = values.get("questions_and_answers")
        entries = self.fields.entries(node, "questions_and_answers")
        if isinstance(node, SequenceNode) and len(entries) < FEWEST_PAIRS:
            self._too_few("too-few-pairs", node, len(entries), FEWEST_PAIRS)
        where = place(values["context"]) if "context" in values else None
        pairs = [
            (entry, self._pair(entry, PAIR_IN_CONTEXT, "`questions_and_answers`", context, where))
            for entry in entries
        ]
        self._note_repeated([(entry, (e.question, e.answer)) for entry, e in pairs if e])
        return [example for _, example in pairs if example]

    def _seed_entries(self, least: int) -> list[Node]:
        node = self.values.get("seed_examples")
        entries = self.fields.entries(node, "seed_examples")
        if isinstance(node, SequenceNode) and len(entries) < least:
            self._too_few("too-few-examples", node, len(entries), least)
        return entries

    def _too_few(self, rule: str, node: Node, count: int, least: int) -> None:
        self.fields.add(rule, node, count=count, least=least, missing=least - count)

    def _pair(
        self,
        entry: Node,
        keys: Keys,
        where: str,
        context: str | None = None,
        context_place: Place | None = None,
    ) -> Example | None:
        values = self.fields.mapping(entry, where)
        if values is None or not isinstance(entry, MappingNode):
            return None
        fields = self.fields
        if len(values) != len(keys.required) or not all(map(values.__contains__, keys.required)):
            fields.check_keys(entry, values, keys, where)
        if "context" in values and "context" in keys.known:
            context = fields.text(values["context"], "context")
        places = {name: place(node) for name, node in values.items()}
        if context_place:
            places["context"] = context_place
        return Example(
            fields.text(values.get("question"), "question"),
            fields.text(values.get("answer"), "answer"),
            place(entry),
            context,
            fields.texts(values["paraphrases"], "paraphrases") if "paraphrases" in values else (),
            places,
        )

    def _exam(self) -> list[Example]:
        node = self.values.get("exam")
        entries = self.fields.entries(node, "exam")
        if isinstance(node, SequenceNode) and not entries:
            self.fields.add("empty-list", node, key="exam")
        pairs = [self._pair(entry, SKILL_EXAMPLE, "`exam`") for entry in entries]
        return [pair for pair in pairs if pair]

    def _document(self) -> Document | None:
        node = self.values.get("document")
        if node is None or self.kind is not Kind.KNOWLEDGE:
            return None
        values = self.fields.mapping(node, "`document`")
        if values is None or not isinstance(node, MappingNode):
            return None
        fields = self.fields
        fields.check_keys(node, values, LOCAL if "path" in values else REMOTE, "`document`")
        patterns = values.get("patterns")
        entries = fields.texts(patterns, "patterns")
        if isinstance(patterns, SequenceNode):
            self._note_repeated([(e, str(e.value)) for e in patterns.value])
        return Document(
            place(values.get("path") or node),
            fields.text(values.get("path"), "path") or None,
            fields.text(values.get("repo"), "repo") or None,
            fields.text(values.get("commit"), "commit") or None,
            entries,
        )

    def _note_repeated(self, entries: Sequence[tuple[Node, object]]) -> None:
        first: dict[object, int] = {}
        for node, content in entries:
            # A template that is still to be filled in repeats nothing.
            if content in first and _says_something(content):
                self.fields.add("duplicate-example", node, first=first[content])
            first.setdefault(content, node.start_mark.line + 1)


def _says_something(content: object) -> bool:
    return any(map(_says_something, content)) if isinstance(content, tuple) else bool(content)


def _whole(text: str) -> int | None:
    """Return the whole number that YAML 1.1 reads in a plain value."""
    try:
        number = float(text) if "." in text else float(int(text.replace("_", ""), 0))
        return int(number) if number.is_integer() else None
    except (ValueError, OverflowError):  # no number, or a gigantic one
        return None
