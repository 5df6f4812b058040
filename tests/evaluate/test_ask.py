"""Questions are asked as many at once as there are slots, each once, whatever happens meanwhile."""

import io
from dataclasses import replace
from pathlib import Path

import pytest

from tests.evaluate.pretended import model
from tiza.errors import AnswersRefused, EngineGone
from tiza.evaluate.ask import Endpoint, Journal, Query, ask, complete, model_of
from tiza.progress import Progress, Step

QUERIES = [Query(f"Question {number}?", 8) for number in range(12)]


def step() -> Step:
    """Return a step that nobody sees."""
    return Progress(io.StringIO()).step("", len(QUERIES))


async def test_answers_come_in_the_order_of_the_questions_and_are_kept(tmp_path: Path) -> None:
    """The journal has every answer, and the same exam asks nothing."""
    path = tmp_path / "answers.jsonl"
    with model(str.upper) as (url, asked):
        endpoint = Endpoint(url, "m", at_once=4)
        first = await ask(endpoint, QUERIES, Journal(path), step())
        again = await ask(endpoint, QUERIES, Journal(path), step())

    assert [answer.text for answer in first] == [query.question.upper() for query in QUERIES]
    assert again == first
    assert len(asked) == len(QUERIES)


async def test_an_exam_goes_on_after_the_engine_died(tmp_path: Path) -> None:
    """What was answered is not asked again; a line that was cut in half is."""
    path = tmp_path / "answers.jsonl"
    with model(lambda q: "yes" if int(q.split()[1][:-1]) < 5 else 500) as (url, _asked):
        endpoint = Endpoint(url, "m", at_once=1, patience=0)
        with pytest.raises(EngineGone):
            await ask(endpoint, QUERIES, Journal(path), step())
    path.write_bytes(path.read_bytes()[:-20])
    with model(lambda _question: "no") as (url, asked):
        answers = await ask(replace(endpoint, url=url), QUERIES, Journal(path), step())

    assert [answer.text for answer in answers] == ["yes"] * 4 + ["no"] * 8
    assert sorted(asked) == sorted(query.question for query in QUERIES[4:])


async def test_an_engine_that_comes_back_is_waited_for(tmp_path: Path) -> None:
    """One failed answer does not end the exam."""
    failures = iter([500, 503])
    with model(lambda _question: next(failures, "fine")) as (url, _asked):
        answers = await ask(Endpoint(url, "m"), QUERIES[:1], Journal(tmp_path / "a"), step())

    assert answers[0].text == "fine"


async def test_a_refusal_is_named_at_once(tmp_path: Path) -> None:
    """A wrong key stays wrong however often it is tried."""
    with model(lambda _question: 401) as (url, _asked), pytest.raises(AnswersRefused, match="401"):
        await ask(Endpoint(url, "m"), QUERIES, Journal(tmp_path / "a"), step())


async def test_another_prompt_asks_again(tmp_path: Path) -> None:
    """An answer belongs to all that it depends on."""
    journal = Journal(tmp_path / "a")
    with model(str.upper) as (url, asked):
        for prompt in ("Be short.", "Be long."):
            await ask(Endpoint(url, "m", system_prompt=prompt), QUERIES[:1], journal, step())

    assert len(asked) == 2


async def test_nothing_at_the_address_is_named() -> None:
    """An address without a model is an error with a hint."""
    nowhere = Endpoint("http://127.0.0.1:9", "m", patience=0)
    with pytest.raises(EngineGone):
        await complete(nowhere, [{"role": "user", "content": "?"}], 1)
    with pytest.raises(EngineGone):
        await model_of(nowhere.url)
