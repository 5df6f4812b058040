"""Replay against forgetting: general questions, with the base model's own answers to them.

A model that is trained on lessons alone forgets what it knew. Rows of replay keep it: short, varied
questions, answered once by the base model itself and kept for it. The answers of the model that
ships with Tiza ship too. Knows no endpoint: whoever calls brings `ask`.
"""

import re
from collections.abc import Sequence
from gettext import gettext as _
from pathlib import Path

from tiza.generate.journal import Journal
from tiza.generate.request import Ask, Reply, Request
from tiza.generate.together import together
from tiza.models.find import SHIPPED_NAME
from tiza.progress import Progress
from tiza.runs.samples import Sample, read

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "es")
SHIPPED = FOLDER / f"{SHIPPED_NAME}.jsonl"
MAX_TOKENS = 64
MIX = {"mix": "replay"}
# A full stop after a number may be that of a list's next line, cut before its words.
SENTENCE_END = re.compile(r"(?<!\d)[.!?…]+[\"»”')\]]*(?=\s|$)|\n")


def questions(language: str) -> list[str]:
    """Return the general questions that ship in a language (`en`, `es`); none in another."""
    if language not in LANGUAGES:
        return []
    return (FOLDER / f"questions.{language}.txt").read_text("utf-8").splitlines()


def questions_for(base: str) -> list[str]:
    """Return the questions that a base model can answer: the shipped one speaks English only."""
    languages = LANGUAGES[:1] if shipped(base) else LANGUAGES
    return [question for language in languages for question in questions(language)]


def shipped(base: str) -> list[Sample]:
    """Return the replay that ships for a base model; empty if it is another's."""
    samples = list(read(SHIPPED)) if SHIPPED.exists() else []
    if not samples or samples[0].metadata["base"] != base:
        return []
    return [Sample(sample.messages, {**MIX, "base": base}, sample.id) for sample in samples]


def silent(base: str) -> frozenset[str]:
    """Return the questions to which the base that ships is known to have nothing to say."""
    first = next(iter(read(SHIPPED)), None) if SHIPPED.exists() else None
    if first is None or first.metadata["base"] != base:
        return frozenset()
    return frozenset(first.metadata.get("silent", ()))


def own(path: Path) -> list[Sample]:
    """Return a user's file of samples as replay.

    Raises:
        SamplesInvalid: naming the line that is no sample.

    """
    return [Sample(s.messages, {**s.metadata, **MIX}, s.id) for s in read(path)]


async def answers(
    ask: Ask, base: str, cache_folder: Path, questions: Sequence[str], progress: Progress
) -> list[Sample]:
    """Return the base model's own short answers, in the order of the questions.

    `base` is the model's `identity`, the model that `ask` reaches. Each answer is asked for once
    and kept in `cache_folder`, line by line, so that an interrupted run goes on where it was.
    Questions to which it has no whole sentence to say are left out.
    """
    nothing = silent(base)
    questions = [question for question in dict.fromkeys(questions) if question not in nothing]
    step = progress.step(_("Replay"), len(questions))
    known = {sample.messages[0]["content"]: sample for sample in shipped(base)}

    async def one(question: str) -> None:
        if question not in known and (text := whole(await journal.ask(request(question)))):
            known[question] = sample(question, text, base)
        step.advance()

    with Journal(cache_folder / f"{base}.jsonl", ask) as journal:
        await together(one(question) for question in questions)
    return [known[question] for question in questions if question in known]


def request(question: str) -> Request:
    """Return the request for the base's answer: the question alone, always the same answer."""
    return Request(({"role": "user", "content": question},), MAX_TOKENS)


def sample(question: str, answer: str, base: str) -> Sample:
    """Return a row of replay."""
    turns = ({"role": "user", "content": question}, {"role": "assistant", "content": answer})
    return Sample(turns, {**MIX, "base": base}, f"replay-{request(question).key()[:16]}")


def whole(answer: Reply) -> str:
    """Return the answer without the half sentence at which it was cut; empty if nothing is left."""
    text = answer.text.strip()
    if answer.cut_off:
        ends = [match.end() for match in SENTENCE_END.finditer(text)]
        text = text[: ends[-1]].strip() if ends else ""
    return "" if text.endswith(":") else text
