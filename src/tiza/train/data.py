"""Samples → token rows, by the model's own chat template, with the answers marked.

A row looks as it will when it is served: the system prompt first, and the pieces tokenised as an
engine does it, so that an answer begins at a token of its own. Knows nothing of networks.
"""

import math
import os
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from tiza.errors import BaseUnusable, SamplesInvalid, TemplateUnusable
from tiza.runs.samples import Sample
from tiza.train.recipe import Recipe
from tiza.translation import N_

REPLAY = "replay"
FEWEST_TO_WATCH = 20  # samples; with fewer, each is needed for learning


@dataclass(frozen=True, slots=True)
class Row:
    """The tokens of one sample. `answers` are the positions in `ids` that are learned."""

    ids: tuple[int, ...]
    answers: tuple[int, ...]
    replay: bool
    folder: str  # top folder of the lesson, for phases

    @property
    def targets(self) -> tuple[int, ...]:
        """The tokens at the learned positions."""
        return tuple(self.ids[position] for position in self.answers)


@dataclass(frozen=True)
class Rows:
    """All rows of a run; the others refer to them by their number.

    `prefix` tokens are the same in every row (the system prompt) and end before any answer.
    `watched` rows are held out. `counts` says what became of the samples.
    """

    rows: Sequence[Row]
    prefix: int
    watched: Sequence[int]
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def lessons(self) -> list[int]:
        """The rows that are learned."""
        watched = set(self.watched)
        return [n for n, row in enumerate(self.rows) if not row.replay and n not in watched]

    @property
    def replay(self) -> list[int]:
        """The rows on which the model shall stay as it is."""
        return [n for n, row in enumerate(self.rows) if row.replay]

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return max(len(row.ids) for row in self.rows)


class Tokenizer:
    """A model's tokenizer and chat template."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from transformers import AutoTokenizer

        self._name = folder.name
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as exc:
            reason = N_("its tokenizer cannot be read ({cause})")
            raise BaseUnusable(reason, path=folder, cause=str(exc).split("\n")[0]) from exc
        if not self._tokenizer.chat_template:
            raise TemplateUnusable(model=self._name, reason="chat_template = null")

    @property
    def pad(self) -> int:
        """A token to fill with; its place is never learned nor looked at."""
        return int(self._tokenizer.pad_token_id or 0)

    def row(self, sample: Sample, system_prompt: str) -> Row:
        """Return the sample's tokens, all answers of the assistant marked.

        Raises:
            TemplateUnusable: the template refuses the roles.

        """
        messages = [dict(message) for message in sample.messages]
        if system_prompt and messages[0]["role"] != "system":
            messages.insert(0, {"role": "system", "content": system_prompt})
        ids: list[int] = []
        answers: list[int] = []
        for piece, is_answer in self._pieces(messages):
            tokens = self._tokenizer(piece, add_special_tokens=False)["input_ids"]
            if is_answer:
                answers += range(len(ids), len(ids) + len(tokens))
            ids += tokens
        folder = str(sample.metadata.get("lesson", "")).partition("/")[0]
        return Row(tuple(ids), tuple(answers), sample.metadata.get("mix") == REPLAY, folder)

    def _pieces(self, messages: Sequence[dict[str, str]]) -> Iterable[tuple[str, bool]]:
        """Cut the conversation's text where answers begin and end.

        A template that writes earlier answers in another way than the last (without their
        thinking, say) is followed: then only the last answer is learned.
        """
        text, done = self._text(messages), 0
        for number, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            before = self._text(messages[:number], add_generation_prompt=True)
            until = self._text(messages[: number + 1])
            end = self._end_of_turn(until)
            if text.startswith(before) and text.startswith(until) and end > len(before):
                yield text[done : len(before)], False
                yield text[len(before) : end], True
                done = end
        if not done:
            raise TemplateUnusable(model=self._name, reason=N_("the answer is not found in it"))

    def _end_of_turn(self, text: str) -> int:
        """Return where the turn ends for an engine: after the end token, before any line break."""
        end = self._tokenizer.eos_token or ""
        position = text.rfind(end) if end else -1
        stripped = len(text.rstrip())
        return position + len(end) if position + len(end) == stripped else stripped

    def _text(self, messages: Sequence[dict[str, str]], **options: bool) -> str:
        try:
            text = self._tokenizer.apply_chat_template(list(messages), tokenize=False, **options)
        except (TemplateError, TypeError, ValueError) as exc:
            raise TemplateUnusable(model=self._name, reason=str(exc).rstrip(".")) from exc
        return str(text)


def prepare(
    samples: Iterable[Sample], tokenizer: Tokenizer, system_prompt: str, recipe: Recipe, path: Path
) -> Rows:
    """Turn samples into rows; over-long ones are cut or dropped, and counted.

    Raises:
        SamplesInvalid: nothing is left to learn.

    """
    counts = Counter[str]()
    rows: list[Row] = []
    for sample in _needed(list(samples), recipe):
        row = _fit(tokenizer.row(sample, system_prompt), recipe, counts)
        if row is not None:
            rows.append(row)
    lessons = [number for number, row in enumerate(rows) if not row.replay]
    if not lessons:
        raise SamplesInvalid(N_("no sample of a lesson is left to learn"), path=path)
    watched = _watch(rows, lessons, recipe)
    counts["lessons"] = len(lessons) - len(watched)
    counts["replay"] = len(rows) - len(lessons)
    counts["held_out"] = len(watched)
    return Rows(rows, _common_prefix(rows), watched, dict(counts))


def _needed(samples: Sequence[Sample], recipe: Recipe) -> list[Sample]:
    """Leave out replay that no epoch would get to: each row of it costs a look at the base."""
    replay = [n for n, sample in enumerate(samples) if sample.metadata.get("mix") == REPLAY]
    most = math.ceil((len(samples) - len(replay)) * recipe.replay_ratio * recipe.num_epochs)
    draw = random.Random(f"{recipe.seed}/replay")  # noqa: S311  # no secret
    spare = set(replay) - set(draw.sample(replay, min(most, len(replay))))
    return [sample for n, sample in enumerate(samples) if n not in spare]


def _fit(row: Row, recipe: Recipe, counts: Counter[str]) -> Row | None:
    if row.replay:  # the base itself says what should follow, so that a part is as good as all
        row = _cut(row, row.answers[: recipe.replay_tokens][-1] + 1)
    if len(row.ids) <= recipe.max_length:
        return row
    row = _cut(row, recipe.max_length)
    if recipe.over_long == "drop" or not row.answers:
        counts["dropped"] += 1
        return None
    counts["cut"] += 1
    return row


def _cut(row: Row, length: int) -> Row:
    answers = tuple(position for position in row.answers if position < length)
    return Row(row.ids[:length], answers, row.replay, row.folder)


def _watch(rows: Sequence[Row], lessons: Sequence[int], recipe: Recipe) -> list[int]:
    """Choose rows to hold out: first those whose answer other rows still teach."""
    if len(lessons) < FEWEST_TO_WATCH or not recipe.held_out:
        return []
    shuffled = random.Random(recipe.seed).sample(lessons, len(lessons))  # noqa: S311  # no secret
    left = Counter(rows[number].targets for number in lessons)
    spare: list[int] = []
    needed: list[int] = []
    for number in shuffled:
        answer = rows[number].targets
        (spare if left[answer] > 1 else needed).append(number)
        left[answer] -= 1
    return sorted((spare + needed)[: max(1, round(len(lessons) * recipe.held_out))])


def _common_prefix(rows: Sequence[Row]) -> int:
    """Return how many first tokens all rows share, one before the first answer at most."""
    longest = min(row.answers[0] for row in rows) - 1
    first = rows[0].ids
    for length in range(longest):
        if any(row.ids[length] != first[length] for row in rows):
            return length
    return max(longest, 0)
