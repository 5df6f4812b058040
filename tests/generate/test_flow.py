"""A unit goes through its steps: every filter keeps and refuses what it should."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest

from tests.generate.scripted import (
    WILLING,
    Answer,
    Counts,
    Parts,
    Teacher,
    inside,
    lesson,
    pairs,
    prompt_of,
    verdict,
)
from tests.taxonomy.lessons import GROUNDED, KNOWLEDGE, SKILL, VALID
from tiza.errors import EngineTimeout
from tiza.generate import answers, checks, flow
from tiza.generate.flow import Outcome, run
from tiza.generate.pipeline import FOLDER, SHIPPED, load
from tiza.generate.request import Reply, Request
from tiza.generate.units import Unit, units

MILL = "The mill of Arden was built in 1871. It grinds wheat. The miller is Mara Holt."
GOOD = ("When was the mill of Arden built?", "The mill of Arden was built in 1871.")
SKILL_LEAF, LEAF = "compositional_skills/a/l", "knowledge/a/l"


def unit_of(
    root: Path, text: str = KNOWLEDGE, leaf: str = LEAF, name: str = "full", scale: int = 5
) -> Unit:
    """Return the first unit of a lesson that asks a teacher; in knowledge it is about the mill."""
    return units(load(name), lesson(root, text, leaf), [MILL], scale, 1)[1]


async def taught(unit: Unit, replies: Mapping[str, Answer]) -> tuple[Outcome, Counts]:
    """Run a unit with a teacher that is willing but for some replies."""
    counts = Counts()
    return await run(unit, Teacher(replies).ask, counts), counts


def kept(outcome: Outcome) -> list[str]:
    """Return the questions that were accepted."""
    return [each.question for each in outcome.accepted]


def refused(outcome: Outcome) -> list[tuple[str, str]]:
    """Return the step and the reason of each refusal, whose words must fit together."""
    assert all(each.reason.format(**each.data) for each in outcome.rejected)
    json.dumps([dict(each.data) for each in outcome.rejected])
    return [(each.step, each.reason) for each in outcome.rejected]


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("leaf", VALID)
async def test_own_pairs_are_always_among_the_samples(name: str, leaf: str, tmp_path: Path) -> None:
    """No judge is asked about what the lesson's author wrote, nor about its paraphrases."""
    text = VALID[leaf].replace(
        "    answer: The river",
        "    paraphrases: [Say where the river ends.]\n    answer: The river",
    )
    source = lesson(tmp_path, text, leaf)
    unit = units(load(name), source, [MILL], 5, 1)[0]
    outcome, counts = await taught(unit, {})
    own = [(each.question, each.answer, each.lines) for each in outcome.accepted]
    for example in source.examples:
        for question in (example.question, *example.paraphrases):
            assert (question, example.answer, (example.line,)) in own
    assert not outcome.rejected
    assert not +counts.requests
    assert counts.accepted.total() == len(own)
    contexts = [e.passage if source.is_knowledge else e.context for e in outcome.accepted]
    assert set(contexts) == {example.context for example in source.examples}


async def test_knowledge_is_kept_with_its_provenance_when_all_judges_agree(tmp_path: Path) -> None:
    """A sample carries the seeds' lines, its step, the prompt with its version, and the scores."""
    unit = unit_of(tmp_path)
    outcome, counts = await taught(unit, {"knowledge_pairs": lambda _: pairs(GOOD)})
    (sample,) = outcome.accepted
    assert (sample.question, sample.answer, sample.passage) == (*GOOD, MILL)
    assert (sample.step, sample.prompt) == ("pairs", "knowledge_pairs/en/1")
    assert sample.scores == {"faithfulness": 2, "relevancy": 2, "question": 1}
    assert sample.lines == unit.lines
    assert +counts.tokens == dict.fromkeys(("pairs", "faithfulness", "relevancy", "question"), 110)
    assert counts.accepted["question"] == 1


JUDGES = [
    (KNOWLEDGE, LEAF, "faithfulness", "faithfulness", 1),
    (KNOWLEDGE, LEAF, "relevancy", "relevancy", 1),
    (KNOWLEDGE, LEAF, "question", "knowledge_question", 0),
    (SKILL, SKILL_LEAF, "question", "skill_question", 0),
    (SKILL, SKILL_LEAF, "pair", "skill_pair", 1),
    (GROUNDED, SKILL_LEAF, "question", "skill_question", 0),
    (GROUNDED, SKILL_LEAF, "pair", "skill_pair", 1),
]


@pytest.mark.parametrize(("text", "leaf", "step", "prompt", "low"), JUDGES)
async def test_judge_refuses_one_and_keeps_the_others_when_it_scores_them(  # noqa: PLR0917  # given by name
    text: str, leaf: str, step: str, prompt: str, low: int, tmp_path: Path
) -> None:
    """Each judge of each flow refuses what it scores below its threshold, with its reason."""
    unit = unit_of(tmp_path, text, leaf)
    everything, _ = await taught(unit, {})

    def judge(parts: Parts) -> str:
        if parts["question"] == kept(everything)[1]:
            return verdict(low, "No, {really} it is not.")
        return WILLING[prompt](parts)

    outcome, counts = await taught(unit, {prompt: judge})
    assert kept(outcome) == [q for q in kept(everything) if q != kept(everything)[1]]
    assert refused(outcome) == [(step, flow.LOW)]
    (rejected,) = outcome.rejected
    assert rejected.data["said"] == "No, {really} it is not."
    assert rejected.candidate.scores[step] == low
    assert counts.rejected[step] == 1


async def test_threshold_is_that_of_the_file_when_a_score_is_judged(tmp_path: Path) -> None:
    """The same score passes or not, as the YAML says."""
    unit = unit_of(tmp_path)
    replies = {"knowledge_pairs": lambda _: pairs(GOOD), "relevancy": lambda _: verdict(1)}
    assert refused((await taught(unit, replies))[0]) == [("relevancy", flow.LOW)]

    mine = tmp_path / "mine.yaml"
    mine.write_text((FOLDER / "full.yaml").read_text().replace("score >= 2", "score >= 1"))
    unit = unit_of(tmp_path, name=str(mine))
    assert kept((await taught(unit, replies))[0]) == [GOOD[0]]


@pytest.mark.parametrize(
    ("text", "leaf", "prompt", "reply", "step", "reason"),
    [
        (
            KNOWLEDGE,
            LEAF,
            "knowledge_pairs",
            pairs(("What does the mill grind?", "Gold and silver and bronze.")),
            "form",
            checks.UNSUPPORTED,
        ),
        (SKILL, SKILL_LEAF, "skill_questions", f'["{"x" * 3001}"]', "question form", None),
        (SKILL, SKILL_LEAF, "skill_answer", "I cannot help with that.", "form", checks.REFUSAL),
        (GROUNDED, SKILL_LEAF, "skill_answer", "I can't assist.", "form", checks.REFUSAL),
        (
            GROUNDED,
            SKILL_LEAF,
            "skill_contexts",
            '{"contexts": ["El mapa lo tiene Ada, que está en la casa de su padre."]}',
            "context form",
            checks.LANGUAGE,
        ),
        (
            GROUNDED,
            SKILL_LEAF,
            "skill_questions",
            '{"questions": ["¿Quién es el que tiene el mapa de la casa?"]}',
            "question form",
            checks.LANGUAGE,
        ),
    ],
)
async def test_structural_check_refuses_when_a_reply_is_unfit(  # noqa: PLR0917  # given by name
    text: str, leaf: str, prompt: str, reply: str, step: str, reason: str | None, tmp_path: Path
) -> None:
    """The checks of each flow stand where they save the most requests."""
    outcome, counts = await taught(unit_of(tmp_path, text, leaf), {prompt: lambda _: reply})
    assert not outcome.accepted
    assert set(refused(outcome)) == {(step, reason or checks.LONG_QUESTION)}
    assert not counts.requests["pair"]
    assert not counts.requests["faithfulness"]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", answers.EMPTY),
        ("   ", answers.EMPTY),
        ("{broken", answers.UNREADABLE),
        ("I would rather talk about the weather.", answers.UNREADABLE),
        ("blah " * 20_000, answers.TOO_LONG),
        ('{"pairs": [{"question": "Why?"}]}', answers.NO_ANSWER),
        ('{"pairs": [{"answer": "So."}]}', answers.NO_QUESTION),
        ("ECHO", answers.ECHO),
    ],
)
@pytest.mark.parametrize("name", ["simple", "full"])
async def test_reply_is_refused_by_name_when_it_cannot_be_used(
    name: str, reply: str, reason: str, tmp_path: Path
) -> None:
    """Whatever a teacher writes, it is a refusal with a reason, never an error or a sample."""

    async def ask(request: Request) -> Reply:
        echo = "\n".join(message["content"] for message in request.messages)
        return Reply(echo if reply == "ECHO" else reply)

    outcome = await run(unit_of(tmp_path, name=name), ask, Counts())
    assert not outcome.accepted
    assert refused(outcome) == [("pairs", reason)]
    assert len(outcome.rejected[0].candidate.answer) <= flow.SHOWN_CHARACTERS


@pytest.mark.parametrize("reply", ["", "Yes!", "{", '{"score": 9}', "x" * 100_000])
async def test_nothing_is_kept_when_a_judge_cannot_be_understood(
    reply: str, tmp_path: Path
) -> None:
    """Silence is no consent; and the pair that was judged shows in the preview."""
    replies = {"knowledge_pairs": lambda _: pairs(GOOD), "faithfulness": lambda _: reply}
    outcome, _ = await taught(unit_of(tmp_path), replies)
    assert not outcome.accepted
    assert [each.candidate.answer for each in outcome.rejected] == [GOOD[1]]


async def test_more_pairs_than_asked_for_are_left_out(tmp_path: Path) -> None:
    """A talkative teacher costs no more than the dry run said."""
    many = pairs(*[(f"{GOOD[0]} Part {n}?", GOOD[1]) for n in range(50)])
    outcome, counts = await taught(unit_of(tmp_path), {"knowledge_pairs": lambda _: many})
    assert len(outcome.accepted) == 5
    assert counts.requests["faithfulness"] == 5


@pytest.mark.parametrize("leaf", VALID)
async def test_outcome_is_the_same_when_replies_come_in_another_order(
    leaf: str, tmp_path: Path
) -> None:
    """Neither what is asked nor what is kept depends on which reply is the faster one."""
    unit = units(load("full"), lesson(tmp_path, VALID[leaf], leaf), [MILL], 6, 1)[-1]

    def fickle(parts: Parts) -> str:
        return verdict(len(parts["question"]) % 3)

    seen = []
    for shuffled in (None, Random(1), Random(2)):  # noqa: S311  # an order, no secret
        teacher = Teacher({"skill_pair": fickle, "relevancy": fickle}, shuffled)
        outcome = await run(unit, teacher.ask, Counts())
        seen.append((outcome, sorted(request.key() for request in teacher.requests)))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][0].accepted or seen[0][0].rejected
    assert len(set(seen[0][1])) == len(seen[0][1]), "no two requests of a unit ask the same"


async def test_pair_goes_on_at_once_when_another_still_waits(tmp_path: Path) -> None:
    """There is no barrier: one slow judge holds up its own pair only."""
    first = asyncio.Event()
    asked: list[str] = []

    async def ask(request: Request) -> Reply:
        name, parts = prompt_of(request)[0], inside(request)
        asked.append(name)
        if name == "faithfulness" and "Number 0" in parts["question"]:
            await first.wait()
        if asked.count("knowledge_question") == 4:
            first.set()  # the other four are through before the first is judged
        return Reply(WILLING[name](parts))

    outcome = await asyncio.wait_for(run(unit_of(tmp_path), ask, Counts()), 5)
    assert "Number 0" in kept(outcome)[0]
    assert len(kept(outcome)) == 5


async def test_rest_of_a_unit_goes_on_when_one_request_fails(tmp_path: Path) -> None:
    """What the teacher could not be asked about is undecided; replies that were paid count."""

    async def ask(request: Request) -> Reply:
        name, parts = prompt_of(request)[0], inside(request)
        if name == "relevancy" and "Number 3" in parts["question"]:
            raise EngineTimeout(seconds=60)
        return Reply(WILLING[name](parts))

    outcome = await run(unit_of(tmp_path), ask, Counts())
    assert [question[-9:] for question in kept(outcome)] == [f"Number {n}?" for n in (0, 1, 2, 4)]
    assert not outcome.rejected
    assert [type(error) for error in outcome.errors] == [EngineTimeout]


@pytest.mark.parametrize("ended_by", ["a bug", "an interruption"])
async def test_nothing_is_left_running_when_a_unit_ends_early(
    ended_by: str, tmp_path: Path
) -> None:
    """A bug is raised as itself, an interruption goes through, and no request outlives either."""
    waiting, all_wait = 0, asyncio.Event()

    async def ask(request: Request) -> Reply:
        nonlocal waiting
        name, parts = prompt_of(request)[0], inside(request)
        if name != "faithfulness":
            return Reply(WILLING[name](parts))
        if ended_by == "a bug" and "Number 4" in parts["question"]:
            raise ZeroDivisionError
        waiting += 1
        if waiting == 5:
            all_wait.set()
        try:
            await asyncio.Event().wait()
        finally:
            waiting -= 1
        raise AssertionError

    work = asyncio.create_task(run(unit_of(tmp_path), ask, Counts()))
    if ended_by == "an interruption":
        await all_wait.wait()
        work.cancel()
    with pytest.raises(ZeroDivisionError if ended_by == "a bug" else asyncio.CancelledError):
        await work
    assert waiting == 0
    assert len(asyncio.all_tasks()) == 1


async def test_requests_have_the_settings_and_the_schema_of_their_step(tmp_path: Path) -> None:
    """Limits and temperature are the YAML's; an answer is a text, everything else an object."""
    teacher = Teacher()
    await run(unit_of(tmp_path, SKILL, SKILL_LEAF), teacher.ask, Counts())
    by_prompt = {prompt_of(request)[0]: request for request in teacher.requests}
    assert by_prompt["skill_questions"].temperature == 0.7
    assert by_prompt["skill_question"].temperature == 0
    assert by_prompt["skill_pair"].max_tokens == 400
    assert by_prompt["skill_answer"].schema is None
    schema = by_prompt["skill_pair"].schema
    assert schema is not None
    assert list(schema["properties"]) == ["reason", "score"]
    assert all(0 <= request.seed < 2**31 for request in teacher.requests)
