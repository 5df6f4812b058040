"""Replay: the base's own answers, asked for once, kept through a crash, ended with a sentence."""

import asyncio
import io
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.taxonomy.lessons import STARTER
from tiza.errors import SamplesInvalid
from tiza.generate import replay
from tiza.generate.near_miss import near_misses
from tiza.generate.replay import (
    MAX_TOKENS,
    answers,
    questions,
    questions_for,
    shipped,
    silent,
    whole,
)
from tiza.generate.request import Reply, Request
from tiza.models.find import find
from tiza.models.identity import identity
from tiza.progress import Progress
from tiza.runs.samples import Sample
from tiza.taxonomy.load import load
from tiza.taxonomy.words import near_print, tokens

BASE = "b" * 64
ASKED = ["What is tea?", "What is salt?", "What is rain?"]


class Model:
    """Answers like a model, and counts."""

    def __init__(self, said: str = "It is a thing.", tokens: int = 5) -> None:
        self.said, self.tokens, self.asked = said, tokens, 0

    async def ask(self, _request: Request) -> Reply:
        """Answer at once."""
        self.asked += 1
        await asyncio.sleep(0)
        return Reply(self.said, 9, self.tokens)


def quiet() -> Progress:
    """Return a progress that nobody sees."""
    return Progress(io.StringIO())


async def test_each_question_is_asked_once_when_answers_are_wanted_again(tmp_path: Path) -> None:
    """In the order of the questions, a repeated one counts once."""
    model = Model()

    first = await answers(model.ask, BASE, tmp_path, [*ASKED, ASKED[0]], quiet())
    again = await answers(model.ask, BASE, tmp_path, ASKED, quiet())

    assert [sample.messages[0]["content"] for sample in first] == ASKED
    assert first == again
    assert model.asked == len(ASKED)
    assert first[0].metadata == {"mix": "replay", "base": BASE}
    assert len({sample.id for sample in first}) == len(ASKED)
    await answers(model.ask, "c" * 64, tmp_path, ASKED, quiet())
    assert model.asked == 2 * len(ASKED)


async def test_question_is_left_out_when_the_answer_says_nothing(tmp_path: Path) -> None:
    """It is not asked again all the same."""
    model = Model("  ")

    assert await answers(model.ask, BASE, tmp_path, ASKED, quiet()) == []
    assert await answers(model.ask, BASE, tmp_path, ASKED, quiet()) == []
    assert model.asked == len(ASKED)


async def test_answers_so_far_are_kept_when_the_model_fails(tmp_path: Path) -> None:
    """The error is the model's own; what it answered before is not asked again."""
    model = Model()

    async def fails(request: Request) -> Reply:
        if request.messages[0]["content"] == ASKED[2]:
            raise ConnectionError
        return await model.ask(request)

    with pytest.raises(ConnectionError):
        await answers(fails, BASE, tmp_path, ASKED[:2] + ASKED[2:], quiet())
    before = len((tmp_path / f"{BASE}.jsonl").read_text().splitlines())
    await answers(model.ask, BASE, tmp_path, ASKED, quiet())

    assert len((tmp_path / f"{BASE}.jsonl").read_text().splitlines()) == len(ASKED)
    assert before <= 2


KILLED = """
import asyncio, io, os, signal, sys
from pathlib import Path
from tiza.generate.replay import answers
from tiza.generate.request import Reply
from tiza.progress import Progress

done = 0

async def ask(request):
    global done
    if done == 2:
        await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
    done += 1
    return Reply("It is a thing.", 9, 5)

questions = [f"What is {n}?" for n in range(9)]
asyncio.run(answers(ask, "b" * 64, Path(sys.argv[1]), questions, Progress(io.StringIO())))
"""


async def test_answers_go_on_where_they_were_when_the_process_is_killed(tmp_path: Path) -> None:
    """Whole lines are kept, a half one is passed over."""
    path = tmp_path / f"{BASE}.jsonl"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, str(tmp_path))
    assert await process.wait() == -signal.SIGKILL
    kept = len(path.read_text().splitlines())
    with path.open("a") as file:
        file.write('{"key": "half')
    model = Model()

    found = await answers(model.ask, BASE, tmp_path, [f"What is {n}?" for n in range(9)], quiet())

    assert kept > 0
    assert model.asked == 9 - kept
    assert len(found) == 9


@pytest.mark.parametrize(
    ("text", "count", "expected"),
    [
        (" Tea is a drink. ", 5, "Tea is a drink."),
        ("Tea", 1, "Tea"),
        ("Tea is a drink. It is made of", MAX_TOKENS, "Tea is a drink."),
        ("It is made of", MAX_TOKENS, ""),
        ("1. Boil water.\n2. Add tea.\n3.", MAX_TOKENS, "1. Boil water.\n2. Add tea."),
        ("- Water\n- Te", MAX_TOKENS, "- Water"),
        ("Follow these steps:\n\nBoil", MAX_TOKENS, ""),
        ("Costs 3.5 and «more!» and", MAX_TOKENS, "Costs 3.5 and «more!»"),
    ],
)
def test_answer_ends_with_a_sentence_when_it_was_cut(text: str, count: int, expected: str) -> None:
    """What the model ended by itself stays as it is."""
    assert whole(Reply(text, 9, count, cut_off=count == MAX_TOKENS)) == expected


@pytest.mark.parametrize(("language", "least"), [("en", 400), ("es", 120)])
def test_questions_are_many_short_and_different(language: str, least: int) -> None:
    """None is about the starter taxonomy, nor one of those that a retention exam asks."""
    found = questions(language)
    lessons = load([STARTER], STARTER)
    taught = {
        near_print(tokens(text))
        for lesson in lessons
        for example in (*lesson.examples, *lesson.exam)
        for text in (example.question, *example.paraphrases)
    }
    exam = re.compile(
        r"\bcapital\b|^Who wrote|¿Quién escribió|largest|longest|highest|más (?:grande|largo|alto)"
        r"|^How many|¿Cuánt[oa]s|chemical symbol|símbolo químico|[Cc]ontinent|[Pp]lanet"
    )

    assert len(found) >= least
    assert max(map(len, found)) <= 70
    assert all(text == text.strip() and text for text in found)
    assert len({near_print(tokens(text)) for text in found}) == len(found)
    assert not [text for text in found if near_print(tokens(text)) in taught]
    assert not [text for text in found if exam.search(text)]


def test_there_are_no_questions_in_another_language() -> None:
    """Only English and Spanish ship."""
    assert questions("fr") == questions("../en") == []


async def test_replay_ships_ready_made_when_the_base_is_the_shipped_model(tmp_path: Path) -> None:
    """A first run on the starter taxonomy needs no engine; that model speaks no Spanish."""
    base = identity(find("", tmp_path), tmp_path)
    model = Model()
    near = near_misses(load([STARTER], STARTER))

    found = await answers(model.ask, base, tmp_path, [*questions_for(base), *near], quiet())

    assert model.asked == 0
    assert {sample.messages[0]["content"] for sample in found} >= set(questions("en")) - silent(
        base
    )
    assert all(sample.metadata == {"mix": "replay", "base": base} for sample in found)
    assert questions_for(base) == questions("en")
    assert questions_for(BASE) == [*questions("en"), *questions("es")]
    assert shipped(BASE) == []
    assert silent(BASE) == frozenset()


def test_users_own_file_is_replay_when_it_is_named(tmp_path: Path) -> None:
    """Its samples are marked, whatever else they say."""
    path = tmp_path / "own.jsonl"
    turns = ({"role": "user", "content": "Tea?"}, {"role": "assistant", "content": "Yes."})
    path.write_text(Sample(turns, {"from": "me"}, "1").line())

    assert replay.own(path) == [Sample(turns, {"from": "me", "mix": "replay"}, "1")]
    path.write_text("{")
    with pytest.raises(SamplesInvalid):
        replay.own(path)
