"""The plan: every row at its turn, no batch too large, phases in order."""

from collections import Counter
from dataclasses import replace

import pytest

from tiza.train.data import Row, Rows
from tiza.train.plan import batches, plan, schedule
from tiza.train.recipe import Recipe

PREFIX = 5


def rows(lessons: int = 30, replay: int = 10, folder: str = "knowledge") -> Rows:
    """Make rows of many lengths."""
    made = [
        Row(tuple(range(PREFIX + 2 + n % 7)), (PREFIX + 1,), n >= lessons, folder)
        for n in range(lessons + replay)
    ]
    return Rows(made, PREFIX, [])


def test_an_epoch_has_every_lesson_once_and_its_share_of_replay(quick: Recipe) -> None:
    """Lessons are complete; replay is drawn anew, each row as often as any other."""
    recipe = replace(quick, replay_ratio=0.5, num_epochs=2)

    steps = plan(rows(), recipe)

    for epoch in (1, 2):
        seen = Counter(n for s in steps if s.epoch == epoch for batch in s.batches for n in batch)
        assert [seen[n] for n in range(30)] == [1] * 30
        assert sum(seen[n] for n in range(30, 40)) == 15
        assert max(seen[n] for n in range(30, 40)) == 2
    assert [s.ends_epoch for s in steps].count(True) == 2
    assert all(any(n >= 30 for batch in s.batches for n in batch) for s in steps)


def test_the_same_seed_gives_the_same_plan_and_another_seed_another(quick: Recipe) -> None:
    """The order is a function of rows and recipe alone."""
    assert plan(rows(), quick) == plan(rows(), quick)
    assert plan(rows(), quick) != plan(rows(), replace(quick, seed=2))


@pytest.mark.parametrize("most", [1, 20, 40, 1000])
def test_no_batch_exceeds_its_tokens_unless_one_row_does(most: int) -> None:
    """The prefix counts once a batch, padding counts."""
    table = rows()
    dealt = list(batches(table, range(40), most))

    assert sorted(n for batch in dealt for n in batch) == list(range(40))
    for batch in dealt:
        longest = max(len(table.rows[n].ids) for n in batch)
        assert len(batch) == 1 or PREFIX + len(batch) * (longest - PREFIX) <= most


def test_the_rate_rises_and_falls_as_a_cosine() -> None:
    """Warm-up to the highest rate, then down to nearly nothing."""
    rates = [schedule(step, 100, 0.1) for step in range(100)]

    assert rates[9] == rates[10] == 1
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[-1] < 0.01
    assert schedule(0, 1, 0.0) == 1


def test_phases_come_in_order_and_see_some_of_what_was_before(quick: Recipe) -> None:
    """Knowledge before skills; a phase without lessons is left out; the rate begins anew."""
    first, second = rows(10, 0), rows(10, 0, "compositional_skills")
    table = Rows([*first.rows, *second.rows], PREFIX, [])
    names = ("knowledge", "foundational_skills", "compositional_skills")
    recipe = replace(quick, num_epochs=1, phases=names, phase_replay=0.2, warmup=0.0)

    steps = plan(table, recipe)

    seen = {
        epoch: {n for s in steps if s.epoch == epoch for batch in s.batches for n in batch}
        for epoch in (1, 2)
    }
    assert seen[1] == set(range(10))
    assert seen[2] >= set(range(10, 20))
    assert len(seen[2] & seen[1]) == 2
    assert steps[0].rate == next(s for s in steps if s.epoch == 2).rate == recipe.learning_rate
