"""Intervals and tests, against published values."""

import pytest

from tiza.evaluate.statistics import Paired, Share, difference, kappa, mcnemar, paired, wilson


@pytest.mark.parametrize(
    ("right", "asked", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(
    right: int, asked: int, low: float, high: float
) -> None:
    """Newcombe 1998, Statistics in Medicine 17:857, table I, method 3."""
    assert wilson(right, asked) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("only_first", "only_second", "p"), [(1, 7, 0.0703), (0, 6, 0.03125)])
def test_mcnemar_gives_the_published_p_values(only_first: int, only_second: int, p: float) -> None:
    """The first: Fagerland, Lydersen and Laake 2013, BMC Med. Res. Methodol. 13:91; by hand too."""
    assert mcnemar(only_first, only_second) == pytest.approx(p, abs=5e-5)
    assert mcnemar(only_second, only_first) == mcnemar(only_first, only_second)


def test_mcnemar_says_nothing_where_nothing_differs() -> None:
    """Without a pair that differs there is no evidence."""
    assert mcnemar(0, 0) == 1


def test_the_difference_has_the_published_interval() -> None:
    """Fagerland, Lydersen and Laake 2014, Statistics in Medicine 33:2850: the same 21 children."""
    before_to_after = difference(Paired(1, 7, 1, 12))

    assert before_to_after == pytest.approx((-0.286, -0.507, -0.026), abs=5e-4)


def test_kappa_gives_the_textbook_value() -> None:
    """Agreement of 35 in 50, where chance alone would give 25."""
    assert kappa(Paired(20, 5, 10, 15)) == pytest.approx(0.4)
    assert kappa(Paired(0, 0, 0, 0)) is None
    assert kappa(Paired(9, 0, 0, 0)) is None


def test_pairs_are_counted_in_their_order() -> None:
    """The first of a pair belongs to the first list."""
    table = paired([True, True, False, False], [True, False, True, False])

    assert table == Paired(1, 1, 1, 1)
    assert Share(0, 0).value == 0
    assert Share(0, 0).interval == (0, 1)
