"""Units: how many, about what, always the same ones, and what they will cost."""

from collections import Counter
from pathlib import Path

import pytest

from tests.generate.scripted import Counts, Teacher, lesson
from tests.taxonomy.lessons import GROUNDED, KNOWLEDGE, SIMPLE, SKILL, STARTER, VALID
from tiza.generate.flow import run
from tiza.generate.pipeline import SHIPPED, load
from tiza.generate.units import Unit, estimate, language_of, units
from tiza.taxonomy.load import load as load_lessons

PASSAGES = ("Arden has a lighthouse with a red lamp.", "Borel has two schools and a library.")


def of(root: Path, text: str, leaf: str, name: str, scale: int, *, seed: int = 1) -> list[Unit]:
    """Return the units of a lesson's text."""
    return units(load(name), lesson(root, text, leaf), PASSAGES, scale, seed)


def test_seeds_is_one_unit_without_requests_when_there_is_no_teacher(tmp_path: Path) -> None:
    """Without a teacher a lesson is one piece of work, whatever the scale."""
    (unit,) = of(tmp_path, KNOWLEDGE, "knowledge/a/l", "seeds", 30)
    assert len(unit.examples) == 15
    assert estimate(unit) == []


@pytest.mark.parametrize(
    ("text", "leaf", "groups"),
    [
        (KNOWLEDGE, "knowledge/a/l", 2 + 5),  # passages and contexts
        (SIMPLE, "knowledge/a/l", 2 + 5),  # passages and pairs
        (SKILL, "compositional_skills/a/l", 5),  # pairs
        (GROUNDED, "foundational_skills/a/l", 5),
    ],
)
@pytest.mark.parametrize("scale", [0, 1, 5, 7, 30])
def test_scale_is_the_number_of_pairs_for_each_group_when_all_are_accepted(
    text: str, leaf: str, groups: int, scale: int, tmp_path: Path
) -> None:
    """The factor of `ilab`: so many pairs for each passage, context or pair."""
    wanted = Counter[object]()
    for unit in of(tmp_path, text, leaf, "full", scale)[1:]:
        pairs = 1
        for count in unit.counts:
            pairs *= count
        wanted[unit.passage or unit.examples[0].line] += pairs
    rounded = 6 if text is GROUNDED and scale == 5 else scale  # two whole contexts of three pairs
    assert set(wanted.values()) <= {rounded}
    assert len(wanted) == (groups if scale else 0)


def test_every_pair_is_shown_as_an_example_when_there_are_several_units(tmp_path: Path) -> None:
    """The examples of a lesson take turns, so that not all new pairs resemble the same three."""
    found = of(tmp_path, KNOWLEDGE, "knowledge/a/l", "full", 30)
    about = [unit for unit in found if unit.passage == PASSAGES[0]]
    assert len({line for unit in about for line in unit.lines}) == 15
    skill = of(tmp_path, SKILL, "compositional_skills/a/l", "full", 30)[1:]
    assert all(len(set(unit.lines)) == 3 for unit in skill)


def test_units_are_the_same_when_made_again_and_others_with_another_seed(tmp_path: Path) -> None:
    """A run that goes on finds its finished units by their keys; no two units share one."""
    for name, text in VALID.items():
        first, again, other = (
            of(tmp_path, text, name, "full", 12, seed=seed) for seed in (1, 1, 2)
        )
        assert first == again
        keys = {unit.key for unit in (*first, *other)}
        assert len(keys) == len({unit.seed for unit in (*first, *other)}) == 2 * len(first)


def test_request_is_the_same_when_only_a_threshold_or_the_scale_changes(tmp_path: Path) -> None:
    """A stricter threshold costs no new answers: a unit's seed knows only what it is about."""
    few, many = (of(tmp_path, SKILL, "compositional_skills/a/l", "full", n) for n in (5, 10))
    seeds = {unit.seed for unit in many}
    assert all(unit.seed in seeds for unit in few)


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("leaf", VALID)
async def test_estimate_is_exact_when_everything_is_accepted(
    name: str, leaf: str, tmp_path: Path
) -> None:
    """A dry run says how many requests each step sends at most; then so many are sent."""
    for unit in of(tmp_path, VALID[leaf], leaf, name, 7):
        teacher, counts = Teacher(), Counts()
        outcome = await run(unit, teacher.ask, counts)
        assert not outcome.rejected
        assert {cost.step: cost.requests for cost in estimate(unit)} == +counts.requests
        asked = sum(len(m["content"]) for r in teacher.requests for m in r.messages) / 4
        said = sum(cost.prompt_tokens for cost in estimate(unit))
        assert 0.7 * asked <= said <= 1.3 * asked
        assert all(cost.completion_tokens > 0 for cost in estimate(unit))


def test_language_is_the_declared_one_or_that_of_the_words(tmp_path: Path) -> None:
    """A lesson that declares no language is asked about in the one that it is written in."""
    assert language_of(lesson(tmp_path, f"language: fr-CA\n{SIMPLE}")) == "fr"
    assert language_of(lesson(tmp_path, SIMPLE)) == "en"
    starters = list(load_lessons([STARTER], STARTER))
    for source in starters:
        assert language_of(source) == ("es" if "es" in source.path.parts else "en")
    spanish = next(source for source in starters if language_of(source) == "es")
    text = spanish.path.read_text().replace("language: es\n", "")
    assert language_of(lesson(tmp_path, text, "compositional_skills/a/l")) == "es"
