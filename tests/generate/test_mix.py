"""Mixing: nothing is lost, the shares are right, and the same seed gives the same file."""

from collections import Counter

import pytest

from tiza.generate.mix import MOST_REPEATS, mix
from tiza.runs.samples import Sample


def rows(folder: str, count: int) -> list[Sample]:
    """Return samples of lessons in a folder of the taxonomy."""
    return [
        Sample(
            ({"role": "user", "content": f"{number}?"}, {"role": "assistant", "content": "Yes."}),
            {"lesson": f"{folder}/a"},
            f"{folder}-{number}",
        )
        for number in range(count)
    ]


KNOWLEDGE, SKILLS = rows("knowledge", 40), rows("compositional_skills", 8)
REPLAY = rows("replay", 60)


def test_mixture_is_the_same_when_the_samples_come_in_another_order() -> None:
    """Only the seed and the samples themselves decide."""
    lessons = [*KNOWLEDGE, *SKILLS]

    first = mix(lessons, REPLAY, seed=3)

    assert first == mix(lessons[::-1], REPLAY[::-1], seed=3)
    assert first != mix(lessons, REPLAY, seed=4)


def test_other_rows_keep_their_order_when_a_sample_is_added() -> None:
    """A new lesson does not shuffle everything anew."""
    fewer = [s.id for s in mix(KNOWLEDGE[1:], [])]

    assert [s.id for s in mix(KNOWLEDGE, []) if s != KNOWLEDGE[0]] == fewer


@pytest.mark.parametrize(("share", "count"), [(0, 0), (0.5, 24), (1, 48), (9, 60)])
def test_replay_has_its_share_when_there_is_enough(share: float, count: int) -> None:
    """None is repeated when there is not."""
    mixed = mix([*KNOWLEDGE, *SKILLS], REPLAY, replay_share=share)

    assert Counter(s.id.partition("-")[0] for s in mixed)["replay"] == count
    assert len({s.id for s in mixed}) == len(mixed)


@pytest.mark.parametrize(
    ("share", "knowledge", "skills"),
    [(None, 40, 8), (0.8, 40, 10), (0.5, 40, 8 * MOST_REPEATS), (0.9, 72, 8), (1, 40, 8)],
)
def test_what_falls_short_is_repeated_when_a_share_is_wished(
    share: float | None, knowledge: int, skills: int
) -> None:
    """Nothing is thrown away, no sample stands more often than the stated factor."""
    mixed = mix([*KNOWLEDGE, *SKILLS], [], knowledge_share=share)

    counts = Counter(str(s.metadata["lesson"]) for s in mixed)
    assert counts == {"knowledge/a": knowledge, "compositional_skills/a": skills}
    assert max(Counter(s.line().rpartition('"id"')[0] for s in mixed).values()) <= MOST_REPEATS
    assert {s.id for s in (*KNOWLEDGE, *SKILLS)} <= {s.id for s in mixed}
    assert len({s.id for s in mixed}) == len(mixed)
