"""Cut the work on a lesson into units: small, independent, always the same and in the same order.

`scale` (`--sdg-scale-factor`, as in `ilab`) is the number of new pairs that are asked for: for each
passage of a document and each context in knowledge (for each pair, where there is no context), and
for each pair of a skill. It is spread over as many requests as the pipeline's `samples` need.
Knows no teacher; `estimate` says what one will be asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from math import ceil, prod

from tiza.generate.checks import Checks
from tiza.generate.prompt import Prompt, prompt, quotation
from tiza.generate.step import Do, Flow, Pipeline, Step
from tiza.taxonomy.content import CHARACTERS_PER_TOKEN
from tiza.taxonomy.lesson import Example, Lesson
from tiza.taxonomy.words import likely_language
from tiza.translation import best_language

SHOWN = 3  # of a lesson's pairs that a teacher sees with each request
JUDGE_TOKENS = 80  # of a reason in two sentences and a score
JSON_CHARACTERS = 32  # that a pair or a question has around it


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of work. Without a teacher: all pairs of a flow; with one: one first request.

    `language` is the lesson's, `examples` are the pairs at work, `counts` says for each step how
    many are asked for. `seed` gives every request its own. Two units with the same `key` ask and
    keep the same. `checks` are shared by the units of a lesson.
    """

    lesson: Lesson
    language: str
    steps: tuple[Step, ...]
    examples: tuple[Example, ...]
    counts: tuple[int, ...]
    seed: int
    key: str
    checks: Checks = field(compare=False, repr=False)
    passage: str | None = None
    context: str | None = None

    @property
    def lines(self) -> tuple[int, ...]:
        """The lines of its pairs."""
        return tuple(example.line for example in self.examples)

    def prompt(self, step: Step) -> Prompt:
        """Return a step's prompt in the language that fits the lesson best."""
        return prompt(step.prompt, best_language([self.language]))

    def material(self) -> dict[str, str]:
        """Return what every prompt may quote, by placeholder."""
        lesson = self.lesson
        about = (lesson.domain, lesson.document_outline or lesson.task_description)
        return {
            "about": "\n".join(part for part in about if part),
            "task": lesson.task_description,
            "examples": "\n\n".join(self._example(each) for each in self.examples),
            "passage": self.passage or "",
            "context": self.context or "",
        }

    def _example(self, example: Example) -> str:
        names: Mapping[str, str] = quotation(best_language([self.language]))["example"]
        context = None if self.lesson.is_knowledge else example.context
        parts = (("context", context), ("question", example.question), ("answer", example.answer))
        return "\n".join(f"{names[name]}: {text}" for name, text in parts if text)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a step of a unit asks of the teacher: requests exactly at most, tokens about."""

    step: str
    requests: int
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class _Group:
    """What units are about: a passage, a context, or a pair with the others of its lesson."""

    examples: tuple[Example, ...]
    passage: str | None = None
    context: str | None = None
    fixed: int = 0  # the first so many examples are shown in every unit

    def shown(self, number: int) -> tuple[Example, ...]:
        """Return the examples for one unit; the others take turns."""
        kept, others = self.examples[: self.fixed], self.examples[self.fixed :]
        free = min(SHOWN - len(kept), len(others))
        turn = (others[(number * free + i) % len(others)] for i in range(free))
        return (*kept, *turn)


def units(
    pipeline: Pipeline, lesson: Lesson, passages: Sequence[str], scale: int, seed: int
) -> list[Unit]:
    """Return the units of a lesson. `passages` are the chunks of its document."""
    return [
        unit
        for flow, examples in _flows(lesson)
        for unit in _units(pipeline.flows[flow], flow, (lesson, examples, passages), scale, seed)
    ]


def language_of(lesson: Lesson) -> str:
    """Return the lesson's language: the declared one, else the one of its words, else English."""
    if lesson.language:
        return lesson.language.partition("-")[0].lower()
    pairs = (f"{each.question} {each.answer}" for each in lesson.examples)
    return likely_language(" ".join([lesson.task_description, *pairs])) or "en"


def estimate(unit: Unit) -> list[Cost]:
    """Return what each step asks if everything before it was accepted: the most there can be.

    The requests are exact then. Tokens are estimated: four characters each, and new texts as long
    as the lesson's own on average.
    """
    typical, items = _typical(unit), 1
    costs = []
    for step, count in zip(unit.steps, unit.counts, strict=True):
        if not step.do.asks:
            continue
        said = unit.material() | typical | {"count": str(count)}
        asked = sum(len(turn["content"]) for turn in unit.prompt(step).messages(said))
        reply = min(_reply_tokens(step, count, typical), step.max_tokens)
        costs.append(Cost(step.name, items, items * _tokens(asked), items * reply))
        items *= count
    return costs


def _flows(lesson: Lesson) -> Iterator[tuple[Flow, tuple[Example, ...]]]:
    if lesson.is_knowledge:
        yield Flow.KNOWLEDGE, lesson.examples
        return
    freeform = tuple(example for example in lesson.examples if not example.context)
    grounded = tuple(example for example in lesson.examples if example.context)
    if freeform:
        yield Flow.FREEFORM, freeform
    if grounded:
        yield Flow.GROUNDED, grounded


def _units(
    steps: tuple[Step, ...],
    flow: Flow,
    work: tuple[Lesson, tuple[Example, ...], Sequence[str]],
    scale: int,
    seed: int,
) -> Iterator[Unit]:
    lesson, examples, passages = work
    language = language_of(lesson)
    checks = Checks(lesson, language)

    def unit(steps: tuple[Step, ...], group: _Group, number: int, left: int) -> Unit:
        shown = group.shown(number) if number >= 0 else examples
        lines = [example.line for example in shown]
        about = (seed, lesson.hash, flow, group.passage, group.context, lines, number)
        counts = _counts(steps, left)
        return Unit(
            lesson,
            language,
            steps,
            shown,
            counts,
            seed=int(_digest(about)[:8], 16),
            key=_digest((*about, language, steps, counts)),
            checks=checks,
            passage=group.passage,
            context=group.context,
        )

    local = tuple(step for step in steps if step.do.is_local)
    asking = tuple(step for step in steps if not step.do.is_local)
    yield unit(local, _Group(examples), -1, 0)
    size = prod(step.samples for step in asking if step.do.multiplies)
    for group in _groups(flow, examples, passages, asking) if asking else ():
        for number in range(ceil(scale / size)):
            yield unit(asking, group, number, scale - number * size)


def _groups(
    flow: Flow, examples: tuple[Example, ...], passages: Sequence[str], steps: tuple[Step, ...]
) -> Iterator[_Group]:
    if flow is Flow.KNOWLEDGE:
        yield from (_Group(examples, passage=passage) for passage in passages)
        contexts = dict.fromkeys(example.context for example in examples if example.context)
        for context in contexts:
            yield _Group(tuple(e for e in examples if e.context == context), passage=context)
    makes_contexts = any(step.do is Do.CONTEXTS for step in steps)
    for at, example in enumerate(examples):
        if flow is Flow.KNOWLEDGE and example.context:
            continue
        first = (example, *examples[at + 1 :], *examples[:at])
        # Where a lesson has neither context nor document, a pair is the source of its facts.
        passage = f"{example.question}\n{example.answer}" if flow is Flow.KNOWLEDGE else None
        own = None if makes_contexts or flow is not Flow.GROUNDED else example.context
        yield _Group(first, passage, own, fixed=1)


def _counts(steps: tuple[Step, ...], left: int) -> tuple[int, ...]:
    """Return how many each step asks for, so that no more pairs than are left come of it.

    Where that does not divide, the first steps round up: there are whole contexts only.
    """
    counts = []
    for step in reversed(steps):
        count = min(step.samples, left) if step.do.multiplies else 1
        counts.append(count)
        left = ceil(left / count)
    return tuple(reversed(counts))


def _typical(unit: Unit) -> dict[str, str]:
    """Return texts as long as those of the lesson are on average, for what is not yet written."""
    examples = unit.lesson.examples
    texts = {
        "question": [example.question for example in examples],
        "answer": [example.answer for example in examples],
        "context": [example.context for example in examples if example.context],
    }
    typical = {name: "x" * round(_mean(found)) for name, found in texts.items()}
    if any(step.do is Do.CONTEXTS for step in unit.steps):
        return typical
    return typical | {"context": unit.context or ""}


def _reply_tokens(step: Step, count: int, typical: Mapping[str, str]) -> int:
    question, answer, context = (len(typical[n]) for n in ("question", "answer", "context"))
    characters = {
        Do.PAIRS: count * (question + answer + 2 * JSON_CHARACTERS),
        Do.QUESTIONS: count * (question + JSON_CHARACTERS),
        Do.CONTEXTS: count * (context + JSON_CHARACTERS),
        Do.ANSWERS: answer,
        Do.JUDGE: JUDGE_TOKENS * CHARACTERS_PER_TOKEN,
    }
    return _tokens(characters[step.do])


def _tokens(characters: int) -> int:
    return ceil(characters / CHARACTERS_PER_TOKEN)


def _mean(texts: Sequence[str]) -> float:
    return sum(map(len, texts)) / max(len(texts), 1)


def _digest(fields: object) -> str:
    return blake2b(repr(fields).encode("utf-8", "replace"), digest_size=16).hexdigest()
