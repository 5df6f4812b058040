"""How sure a result is: intervals, paired tests, agreement.

Knows counts only. Every method names its source; the tests compare with published values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, sqrt

Z = 1.959964  # 95 %


@dataclass(frozen=True, slots=True)
class Share:
    """`right` of `asked`, with a 95 % interval."""

    right: int
    asked: int

    @property
    def value(self) -> float:
        """The share; 0 of nothing."""
        return self.right / self.asked if self.asked else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval."""
        return wilson(self.right, self.asked)


@dataclass(frozen=True, slots=True)
class Paired:
    """Two graders, or two models, on the same questions: how often which of them was right."""

    both: int
    only_first: int
    only_second: int
    neither: int

    @property
    def asked(self) -> int:
        """The number of pairs."""
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def p_value(self) -> float:
        """How likely a difference like this is by chance."""
        return mcnemar(self.only_first, self.only_second)


def paired(first: Sequence[bool], second: Sequence[bool]) -> Paired:
    """Count pairs of the same length."""
    pairs = list(zip(first, second, strict=True))
    return Paired(
        pairs.count((True, True)),
        pairs.count((True, False)),
        pairs.count((False, True)),
        pairs.count((False, False)),
    )


def wilson(right: int, asked: int, z: float = Z) -> tuple[float, float]:
    """Return the score interval of a share (Wilson 1927, JASA 22:209)."""
    if not asked:
        return 0.0, 1.0
    share = right / asked
    middle = share + z * z / (2 * asked)
    spread = z * sqrt(share * (1 - share) / asked + z * z / (4 * asked * asked))
    bottom = 1 + z * z / asked
    return max(0.0, (middle - spread) / bottom), min(1.0, (middle + spread) / bottom)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p-value of a paired difference (McNemar 1947, Psychometrika 12).

    Binomial, as it is recommended for small counts, and quick enough for thousands.
    """
    total, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(comb(total, i) for i in range(fewer + 1))
    return min(1.0, float(2 * tail / 2**total))


def difference(pairs: Paired) -> tuple[float, float, float]:
    """Return how much more often the second was right, and the 95 % interval of that.

    Square-and-add with phi (Newcombe 1998, Statistics in Medicine 17:2635, method 10).
    """
    asked = pairs.asked
    if not asked:
        return 0.0, -1.0, 1.0
    first = Share(pairs.both + pairs.only_first, asked)
    second = Share(pairs.both + pairs.only_second, asked)
    phi = _phi(pairs)
    low1, high1 = first.interval
    low2, high2 = second.interval
    gain = second.value - first.value
    down, up = second.value - low2, high1 - first.value
    below = sqrt(down**2 - 2 * phi * down * up + up**2)
    up, down = high2 - second.value, first.value - low1
    above = sqrt(up**2 - 2 * phi * up * down + down**2)
    return gain, gain - below, gain + above


def kappa(pairs: Paired) -> float | None:
    """Return how far two graders agree beyond chance (Cohen 1960, Educ. Psychol. Meas. 20:37).

    None where chance alone would have them agree always: nothing can be said then.
    """
    asked = pairs.asked
    if not asked:
        return None
    first, second = pairs.both + pairs.only_first, pairs.both + pairs.only_second
    agree = (pairs.both + pairs.neither) / asked
    chance = (first * second + (asked - first) * (asked - second)) / asked**2
    return None if chance == 1 else (agree - chance) / (1 - chance)


def _phi(pairs: Paired) -> float:
    a, b, c, d = pairs.both, pairs.only_first, pairs.only_second, pairs.neither
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    if not margins:
        return 0.0
    product = float(a * d - b * c)
    if product > 0:
        product = max(product - pairs.asked / 2, 0.0)  # half a count, as the method asks for
    return product / sqrt(margins)
