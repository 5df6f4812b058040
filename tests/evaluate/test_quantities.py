"""Numbers, measures, times and dates are one thing however they are written."""

from itertools import combinations

import pytest

from tiza.evaluate.quantities import Quantity, flat, quantities


def only(text: str, language: str = "en") -> Quantity:
    """Return the one amount of a text."""
    found = list(quantities(flat(text), language))
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("language", "ways"),
    [
        (
            "en",
            ["1987", "nineteen eighty-seven", "1,987", "one thousand nine hundred eighty-seven"],
        ),
        ("en", ["105", "one hundred and five", "105.0"]),
        ("en", ["half past seven", "7:30", "7.30 pm", "19:30"]),
        ("en", ["quarter to eight", "7:45", "07:45 am"]),
        ("en", ["9 October", "October 9th", "9th of October", "2019-10-09"]),
        ("en", ["1.5 km", "1,500 metres", "1500 m"]),
        ("en", ["90 minutes", "1.5 hours", "5400 s"]),
        ("en", ["19th", "nineteenth"]),
        ("en", ["50 %", "50 percent", "fifty per cent"]),
        ("en", ["100 °C", "100 degrees Celsius", "one hundred degrees centigrade"]),
        ("en", ["2 million", "2,000,000", "two million"]),
        ("es", ["1987", "mil novecientos ochenta y siete", "1.987"]),
        ("es", ["siete y media", "7:30", "7:30 de la tarde"]),
        ("es", ["9 de octubre", "nueve de octubre"]),
        ("es", ["3,5 kilómetros", "3.500 metros"]),
        ("es", ["1000 años", "10 siglos", "mil años"]),
        ("es", ["50 por ciento", "50 %"]),
        ("es", ["primera", "primer"]),
    ],
)
def test_ways_to_write_an_amount_are_equal(language: str, ways: list[str]) -> None:
    """What is the same amount compares equal, whichever way it is written."""
    found = [only(way, language) for way in ways]

    assert all(one.equals(other) and other.equals(one) for one, other in combinations(found, 2))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("7:30 am", "7:30 pm"),
        ("1.5 km", "1.5 miles"),
        ("100 °C", "100 °F"),
        ("1,000", "1.000"),
        ("9 October", "10 September"),
        ("1st", "1"),
        ("5 minutes", "5 hours"),
    ],
)
def test_amounts_that_differ_in_kind_or_unit_are_not_equal(one: str, other: str) -> None:
    """A figure alone does not make an amount."""
    assert not only(one).equals(only(other))


def test_a_missing_unit_fits_any() -> None:
    """An answer may leave out the unit that the question names."""
    assert only("412").equals(only("412 kg"))


def test_a_second_of_time_is_no_rank() -> None:
    """The word is both an ordinal and a unit."""
    assert [q.kind for q in quantities("the second of 60 seconds")] == ["ordinal", "number"]
    assert list(quantities("once a second")) == []
