"""Read a pipeline: a shipped one by its name, or a file of the same form.

A file that cannot be used is one error with the file, the line, the key and what is expected there.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Never

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tiza.errors import PipelineInvalid, PipelineNotFound
from tiza.generate.prompt import NAMES, placeholders
from tiza.generate.step import Do, Flow, Pipeline, Step, Threshold
from tiza.taxonomy.compose import compose, is_text
from tiza.taxonomy.finding import Finding, shown
from tiza.translation import N_

FOLDER = Path(__file__).parent / "pipelines"
SHIPPED = ("seeds", "simple", "full")
ACCEPT = re.compile(r"score\s*(>=|>|==)\s*(\d+(?:\.\d+)?)")
MOST_SAMPLES, MOST_TOKENS, MOST_CHARACTERS = 50, 32_000, 30_000
HOTTEST = 2

WANTS = N_("must be {expected}")
UNKNOWN = N_("is not known here; these are: {expected}")
MISSING = N_("is missing here")
TWICE = N_("is given twice")
A_LIST = N_("a list of steps")
A_MAPPING = N_("keys with values")
A_TEXT = N_("a text")
A_NUMBER = N_("a number from {least} to {most}")
A_WHOLE = N_("a whole number from {least} to {most}")
A_THRESHOLD = N_("like: score >= 2")
TOO_EARLY = N_("must come after a step that gives it a question")
TOO_LATE = N_("must come before the step that gives the answer")
NO_SEEDS = N_("must begin with the lesson's own pairs (do: seeds)")
LOCAL_LATE = N_("must come before the steps that need the teacher")
NO_ANSWER = N_("must give an answer at its end: with pairs, or with questions and answers")
UNUSABLE = N_("needs what no step before it gives: {expected}")

REQUIRED: Mapping[Do, tuple[str, ...]] = {
    Do.SEEDS: (),
    Do.REWORD: ("samples",),
    Do.CONTEXTS: ("prompt", "samples", "max_tokens"),
    Do.QUESTIONS: ("prompt", "samples", "max_tokens"),
    Do.PAIRS: ("prompt", "samples", "max_tokens"),
    Do.ANSWERS: ("prompt", "max_tokens"),
    Do.CHECK: ("question_characters", "answer_characters"),
    Do.JUDGE: ("prompt", "max_tokens", "accept"),
}
TOP = ("description", *Flow)
LEAST_AND_MOST: Mapping[str, tuple[float, float]] = {
    "samples": (1, MOST_SAMPLES),
    "temperature": (0, HOTTEST),
    "max_tokens": (1, MOST_TOKENS),
    "question_characters": (1, MOST_CHARACTERS),
    "answer_characters": (1, MOST_CHARACTERS),
    "unsupported": (0, 1),
}
FRACTIONS = ("temperature", "unsupported")
GIVES: Mapping[Do, tuple[str, ...]] = {
    Do.CONTEXTS: ("context",),
    Do.QUESTIONS: ("question",),
    Do.PAIRS: ("question", "answer"),
    Do.ANSWERS: ("answer",),
}
GIVEN: Mapping[Flow, tuple[str, ...]] = {
    Flow.KNOWLEDGE: ("examples", "count", "about", "passage"),
    Flow.FREEFORM: ("examples", "count", "task", "context"),  # an empty context
    Flow.GROUNDED: ("examples", "count", "task", "context"),
}


def load(name_or_path: str) -> Pipeline:
    """Return the pipeline `seeds`, `simple` or `full`, or the one that a file describes.

    Raises:
        PipelineNotFound: it is neither the name of one nor a file.
        PipelineInvalid: the file cannot be used; names its first problem.

    """
    path = FOLDER / f"{name_or_path}.yaml" if name_or_path in SHIPPED else Path(name_or_path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise PipelineNotFound(name=name_or_path, known=", ".join(SHIPPED)) from exc
    return _Reader(path).pipeline(text)


class _Reader:
    """Takes the nodes of one file apart; the first problem ends it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def pipeline(self, text: str) -> Pipeline:
        root = compose(text)
        if isinstance(root, Finding):
            self._refuse(root.line, self.path.name, root.rule.message, **root.data)
        if root is None:
            self._refuse(1, self.path.name, WANTS, expected=A_MAPPING)
        fields = self._mapping(root, self.path.name)
        self._check_keys(root, fields, TOP, TOP, self.path.name)
        flows = {flow: self._flow(flow, fields[flow]) for flow in Flow}
        return Pipeline(self.path.stem, self._text(fields["description"], "description"), flows)

    def _flow(self, flow: Flow, node: Node) -> tuple[Step, ...]:
        if not isinstance(node, SequenceNode) or not node.value:
            self._refuse(_line(node), flow, WANTS, expected=A_LIST)
        steps: dict[str, Step] = {}
        for entry in node.value:
            step = self._step(entry)
            if step.name in steps:
                self._refuse(_line(entry), step.name, TWICE)
            self._check_place(flow, tuple(steps.values()), step, _line(entry))
            steps[step.name] = step
        if next(iter(steps.values())).do is not Do.SEEDS:
            self._refuse(_line(node), flow, NO_SEEDS)
        given = _given(steps.values())
        if any(step.do.asks for step in steps.values()) and "answer" not in given:
            self._refuse(_line(node), flow, NO_ANSWER)
        return tuple(steps.values())

    def _step(self, node: Node) -> Step:
        fields = self._mapping(node, "step")
        self._check_keys(node, fields, ("step", "do"), tuple(fields), "step")
        do = Do(self._one_of(fields["do"], "do", tuple(Do)))
        required = ("step", "do", *REQUIRED[do])
        optional = ("temperature",) if do.asks else ("unsupported",) if do is Do.CHECK else ()
        self._check_keys(node, fields, required, required + optional, "step")
        values: dict[str, Any] = {
            key: self._number(fields[key], key) for key in LEAST_AND_MOST if key in fields
        }
        if "prompt" in fields:
            values["prompt"] = self._one_of(fields["prompt"], "prompt", NAMES)
        if "accept" in fields:
            values["accept"] = self._threshold(fields["accept"])
        return Step(self._text(fields["step"], "step"), do, **values)

    def _check_place(self, flow: Flow, before: tuple[Step, ...], step: Step, line: int) -> None:
        given = _given(before)
        if step.do.is_local:
            if any(not other.do.is_local for other in before):
                self._refuse(line, step.name, LOCAL_LATE)
            return
        if step.do.multiplies and ("question" in given or (step.do is Do.CONTEXTS and given)):
            self._refuse(line, step.name, TOO_LATE)
        if step.do is Do.ANSWERS and "answer" in given:
            self._refuse(line, step.name, TOO_LATE)
        if step.do in (Do.ANSWERS, Do.JUDGE) and "question" not in given:
            self._refuse(line, step.name, TOO_EARLY)
        if step.prompt and (lacks := placeholders(step.prompt) - {*GIVEN[flow], *given}):
            self._refuse(line, step.name, UNUSABLE, expected=", ".join(sorted(lacks)))

    def _mapping(self, node: Node, key: str) -> dict[str, Node]:
        if not isinstance(node, MappingNode):
            self._refuse(_line(node), key, WANTS, expected=A_MAPPING)
        fields: dict[str, Node] = {}
        for name, value in node.value:
            word = str(name.value) if isinstance(name, ScalarNode) else "?"
            if word in fields:
                self._refuse(_line(name), word, TWICE)
            fields[word] = value
        return fields

    def _check_keys(
        self,
        node: Node,
        fields: Mapping[str, Node],
        required: tuple[str, ...],
        known: tuple[str, ...],
        where: str,
    ) -> None:
        for key in fields:
            if key not in known:
                line = _key_line(node, key)
                self._refuse(line, shown(key), UNKNOWN, expected=", ".join(known))
        for key in required:
            if key not in fields:
                self._refuse(_line(node), key, MISSING, where=where)

    def _text(self, node: Node, key: str) -> str:
        if not isinstance(node, ScalarNode) or not is_text(node) or not node.value.strip():
            self._refuse(_line(node), key, WANTS, expected=A_TEXT)
        return " ".join(str(node.value).split())

    def _one_of(self, node: Node, key: str, known: tuple[str, ...]) -> str:
        text = self._text(node, key)
        if text not in known:
            self._refuse(_line(node), f"{key}: {shown(text)}", UNKNOWN, expected=", ".join(known))
        return text

    def _number(self, node: Node, key: str) -> float | int:
        least, most = LEAST_AND_MOST[key]
        kind, expected = (float, A_NUMBER) if key in FRACTIONS else (int, A_WHOLE)
        try:
            number = kind(node.value) if isinstance(node, ScalarNode) else None
        except ValueError:
            number = None
        if number is None or not least <= number <= most:
            self._refuse(_line(node), key, WANTS, expected=expected, least=least, most=most)
        return number

    def _threshold(self, node: Node) -> Threshold:
        found = ACCEPT.fullmatch(node.value) if isinstance(node, ScalarNode) else None
        if found is None:
            self._refuse(_line(node), "accept", WANTS, expected=A_THRESHOLD)
        return Threshold(found[1], float(found[2]))

    def _refuse(self, line: int, key: str, problem: str, **data: object) -> Never:
        raise PipelineInvalid(problem, path=self.path, line=line, key=key, **data)


def _given(steps: Any) -> set[str]:
    return {part for step in steps for part in GIVES.get(step.do, ())}


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _key_line(node: Node, key: str) -> int:
    keys: Iterator[Node] = (name for name, _ in node.value if name.value == key)
    return _line(next(keys, node))
