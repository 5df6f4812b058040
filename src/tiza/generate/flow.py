"""Send a unit through its steps. Each thing goes on as soon as its step lets it through.

Nothing waits for its neighbours, so a teacher always has requests before it; what comes out, and in
which order, does not depend on which reply came first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from typing import Any, Protocol

from tiza.errors import TizaError
from tiza.generate import answers
from tiza.generate.candidate import Candidate, Rejected
from tiza.generate.request import Ask, Reply, Request
from tiza.generate.rewordings import reword, searched
from tiza.generate.rewordings.turned import turned
from tiza.generate.step import Do, Step
from tiza.generate.together import together
from tiza.generate.units import Unit
from tiza.taxonomy.finding import shown
from tiza.taxonomy.lesson import Example
from tiza.translation import N_

TEXT = {"type": "string"}
LOW = N_("the judge gave {score}, needed is {needed}: {said}")
CUT_OFF = N_("the answer is not whole: it reached the step's max_tokens")
SHOWN_CHARACTERS = 1000  # of a reply that cannot be used, for the preview


class Watch(Protocol):
    """Is told how a step goes."""

    def step(
        self, name: str, *, requests: int = 0, tokens: int = 0, accepted: int = 0, rejected: int = 0
    ) -> None:
        """Count requests that were answered, their tokens, and things that passed or did not."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a unit, in a fixed order.

    `errors` are those of a teacher that could not be asked: what they concern is neither accepted
    nor rejected, and the rest of the unit went on, for its replies are paid.
    """

    accepted: tuple[Candidate, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    errors: tuple[TizaError, ...] = ()


async def run(unit: Unit, ask: Ask, watch: Watch) -> Outcome:
    """Work on a unit."""
    if unit.steps[0].do.is_local:
        return _local(unit, watch)
    start = Candidate(unit.lesson, unit.lines, "", "", context=unit.context, passage=unit.passage)
    return await _Work(unit, ask, watch).go(start, 0, ())


def _local(unit: Unit, watch: Watch) -> Outcome:
    """Return the lesson's own pairs and their rewordings."""
    found: list[Candidate] = []
    for step in unit.steps:
        made = list(_seeds(unit, step) if step.do is Do.SEEDS else _rewordings(unit, step))
        watch.step(step.name, accepted=len(made))
        found += made
    return Outcome(tuple(found))


def _seeds(unit: Unit, step: Step) -> Iterable[Candidate]:
    for example in unit.examples:
        for question in (example.question, *example.paraphrases):
            yield _own(unit, step, example, question)


def _rewordings(unit: Unit, step: Step) -> Iterable[Candidate]:
    for example in unit.examples:
        questions = reword(example.question, unit.language, step.samples, unit.seed)
        if unit.lesson.is_knowledge:
            questions += [turned(example.answer, unit.language), searched(example.question)]
        yield from (_own(unit, step, example, question) for question in questions if question)


def _own(unit: Unit, step: Step, example: Example, question: str) -> Candidate:
    own = Candidate(unit.lesson, (example.line,), step.name, question, example.answer)
    if unit.lesson.is_knowledge:
        return replace(own, passage=example.context)
    return replace(own, context=example.context)


class _Work:
    """One unit under way."""

    def __init__(self, unit: Unit, ask: Ask, watch: Watch) -> None:
        self.unit, self.ask, self.watch = unit, ask, watch
        self.material = unit.material()

    async def go(self, item: Candidate, at: int, path: tuple[int, ...]) -> Outcome:
        """Take an item through the steps from `at` on; `path` tells it from its siblings."""
        step = self.unit.steps[at]
        if step.do is Do.CHECK:
            outcome = self._checked(item, step)
        else:
            outcome = await self._asked(item, step, at, path)
        self.watch.step(step.name, accepted=len(outcome.accepted), rejected=len(outcome.rejected))
        if at + 1 == len(self.unit.steps):
            return outcome
        further = await together(
            self.go(each, at + 1, (*path, number)) for number, each in enumerate(outcome.accepted)
        )
        return Outcome(
            tuple(each for one in further for each in one.accepted),
            (*outcome.rejected, *(each for one in further for each in one.rejected)),
            (*outcome.errors, *(each for one in further for each in one.errors)),
        )

    def _checked(self, item: Candidate, step: Step) -> Outcome:
        flaw = self.unit.checks.flaw(item, step)
        return Outcome((item,)) if flaw is None else _refused(item, step, *flaw)

    async def _asked(self, item: Candidate, step: Step, at: int, path: tuple[int, ...]) -> Outcome:
        prompt, count = self.unit.prompt(step), self.unit.counts[at]
        request = Request(
            prompt.messages(self._values(item, count)),
            step.max_tokens,
            step.temperature,
            _seed(self.unit.seed, step.name, path),
            _schema(step),
        )
        try:
            reply = await self.ask(request)
        except TizaError as exc:
            return Outcome(errors=(exc,))
        tokens = reply.prompt_tokens + reply.completion_tokens
        self.watch.step(step.name, requests=1, tokens=tokens)
        try:
            return self._read(reply, item, step, count)
        except answers.Unreadable as exc:
            said = replace(item, answer=item.answer or reply.text[:SHOWN_CHARACTERS])
            return _refused(said, step, exc.reason, exc.data)

    def _read(self, reply: Reply, item: Candidate, step: Step, count: int) -> Outcome:
        text = reply.text
        if reply.cut_off and step.do is Do.ANSWERS:  # of a list, what is whole is taken
            raise answers.Unreadable(CUT_OFF)
        if self.unit.prompt(step).is_echoed(text[: answers.LONGEST_REPLY]):
            raise answers.Unreadable(answers.ECHO)
        if step.do is Do.JUDGE:
            return self._judged(item, step, text)
        return self._written(item, step, count, text)

    def _values(self, item: Candidate, count: int) -> Mapping[str, str]:
        return {
            **self.material,
            "context": item.context or "",
            "question": item.question,
            "answer": item.answer,
            "count": str(count),
        }

    def _written(self, item: Candidate, step: Step, count: int, text: str) -> Outcome:
        """Make candidates of what the teacher wrote; more than were asked for are left out."""
        made = partial(replace, item, step=step.name, prompt=self.unit.prompt(step).id)
        if step.do is Do.ANSWERS:
            return Outcome((made(answer=answers.text(text)),))
        if step.do is Do.CONTEXTS:
            contexts = answers.texts(text, "contexts")[:count]
            return Outcome(tuple(made(context=context) for context in contexts))
        if step.do is Do.QUESTIONS:
            questions = answers.texts(text, "questions")[:count]
            return Outcome(tuple(made(question=question) for question in questions))
        pairs = [made(**pair._asdict()) for pair in answers.pairs(text)[:count]]
        return Outcome(
            tuple(pair for pair in pairs if pair.question and pair.answer),
            tuple(_half(pair) for pair in pairs if not (pair.question and pair.answer)),
        )

    def _judged(self, item: Candidate, step: Step, text: str) -> Outcome:
        scale = self.unit.prompt(step).scores
        said = answers.verdict(text, min(scale), max(scale))
        item = replace(item, scores={**item.scores, step.name: said.score})
        if step.accept is None or step.accept.passes(said.score):
            return Outcome((item,))
        data = {"score": f"{said.score:g}", "needed": str(step.accept), "said": shown(said.reason)}
        return _refused(item, step, LOW, data)


def _half(pair: Candidate) -> Rejected:
    reason = answers.NO_ANSWER if pair.question else answers.NO_QUESTION
    return Rejected(pair, pair.step, reason)


def _refused(item: Candidate, step: Step, reason: str, data: Mapping[str, object]) -> Outcome:
    return Outcome((), (Rejected(item, step.name, reason, data),))


def _schema(step: Step) -> Mapping[str, Any] | None:
    """Return the JSON Schema of a step's reply; an answer is a text by itself."""
    pair = _object(question=TEXT, answer=TEXT)
    schemas = {
        Do.PAIRS: _object(pairs=_list(pair)),
        Do.QUESTIONS: _object(questions=_list(TEXT)),
        Do.CONTEXTS: _object(contexts=_list(TEXT)),
        Do.JUDGE: _object(reason=TEXT, score={"type": "integer"}),
    }
    return schemas.get(step.do)


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _seed(seed: int, step: str, path: tuple[int, ...]) -> int:
    digest = blake2b(repr((seed, step, path)).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") >> 1  # endpoints take 31 bits
