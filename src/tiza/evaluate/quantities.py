"""Numbers, measures, times and dates of a text, however they are written.

`7:30`, "half past seven" and "las siete y media" are one time; "1,000 m", "one kilometre" and
"1 km" one length. English and Spanish. Knows no question and no answer.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

HALF_DAY = 720  # minutes
CENTURY = 100

ONES = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce "
    "quince dieciseis diecisiete dieciocho diecinueve veinte veintiuno veintidos veintitres "
    "veinticuatro veinticinco veintiseis veintisiete veintiocho veintinueve",
}
TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "es": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
}
HUNDREDS = (
    "cien doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos "
    "novecientos"
)
SCALES = {
    "en": {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9},
    "es": {"mil": 1000, "millon": 10**6, "millones": 10**6},
}
ORDINALS = {
    "en": "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth",
    "es": "primer[oa]? segund[oa] tercer[oa]? cuart[oa] quint[oa] sext[oa] septim[oa] octav[oa] "
    "noven[oa] decim[oa]",
}
MONTHS = {
    "en": "january february march april may june july august september october november december",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
    "diciembre",
}
# What is measured, how many of the smallest unit, its names (plurals by rule).
UNIT_NAMES = (
    ("length", "1", "mm millimetre millimeter milimetro"),
    ("length", "10", "cm centimetre centimeter centimetro"),
    ("length", "1000", "m metre meter metro"),
    ("length", "1000000", "km kilometre kilometer kilometro"),
    ("inch", "1", "inch inche pulgada"),
    ("foot", "1", "ft feet foot pie"),
    ("mile", "1", "mile milla"),
    ("mass", "1", "mg milligram miligramo"),
    ("mass", "1000", "g gram gramme gramo"),
    ("mass", "1000000", "kg kilo kilogram kilogramme kilogramo"),
    ("mass", "1000000000", "tonne tonelada"),
    ("volume", "1", "ml millilitre milliliter mililitro"),
    ("volume", "1000", "l litre liter litro"),
    ("duration", "1", "s sec second segundo"),
    ("duration", "60", "min minute minuto"),
    ("duration", "3600", "h hr hour hora"),
    ("duration", "86400", "day dia"),
    ("duration", "604800", "week semana"),
    ("months", "1", "month mes mese"),
    ("months", "12", "year ano"),
    ("months", "120", "decade decada"),
    ("months", "1200", "century siglo"),
    ("celsius", "1", "°c celsius centigrade centigrado"),
    ("fahrenheit", "1", "°f fahrenheit"),
    ("percent", "1", "% percent"),
    ("dollar", "1", "$ usd dollar dolar dolare"),
    ("euro", "1", "€ eur euro"),
    ("sterling", "1", "£ gbp"),
)
UNITS = {
    name: (measure, Decimal(factor))
    for measure, factor, names in UNIT_NAMES
    for name in names.split()
}


def _values(words: dict[str, str], first: int, step: int = 1) -> dict[str, dict[str, int]]:
    return {
        language: {word: first + step * place for place, word in enumerate(listed.split())}
        for language, listed in words.items()
    }


SMALL = {
    language: values | _values(TENS, 20, 10)[language]
    for language, values in _values(ONES, 0).items()
}
SMALL["es"] |= {word: 100 * place for place, word in enumerate(HUNDREDS.split(), 1)}
SMALL["es"] |= {word[:-2] + "as": n for word, n in SMALL["es"].items() if word.endswith("entos")}
SMALL["es"]["ciento"] = CENTURY
MONTH = {word: number for values in _values(MONTHS, 1).values() for word, number in values.items()}

_WORDS = {
    language: "|".join(sorted({*SMALL[language], *SCALES[language]}, key=len, reverse=True))
    for language in SMALL
}
_MONTH = "|".join(MONTH)
_HALF = r"(?P<half>\s*(?:[ap]\.?\s?m\b\.?|de la (?:manana|tarde|noche)\b))"
_CURRENCY = r"(?P<currency>[$€£]\s?)?"


def _pattern(language: str) -> re.Pattern[str]:
    words = _WORDS[language]
    small = "|".join(SMALL[language])
    ordinals = "|".join(ORDINALS[language].split())
    hour = rf"(?:\d{{1,2}}|{small})"
    spoken = (
        rf"(?P<part>half past|quarter past|quarter to) (?P<hour_en>{hour})"
        if language == "en"
        else rf"(?P<hour_es>{hour}) (?P<parte>y media|y cuarto|menos cuarto)"
    )
    glue = r"(?:[ -](?:and )?)" if language == "en" else r"(?: (?:y )?)"
    day = rf"(?P<day>[0-3]?\d|{small})(?:st|nd|rd|th|\.?o)?"
    return re.compile(
        rf"(?P<iso>\b\d{{4}}-\d\d-\d\d\b)"
        rf"|(?P<time>\b(?P<h>[0-2]?\d)(?:[:h](?P<m>[0-5]\d)\b|\.(?P<p>[0-5]\d)(?={_CLOCK}))"
        rf"{_HALF.replace('half', 'half1')}?)"
        rf"|(?P<whole>\b(?P<hh>[0-2]?\d)(?:{_HALF.replace('half', 'half2')}| ?o['’ ]?clock\b))"
        rf"|(?P<spoken>\b{spoken}\b)"
        rf"|(?P<date>\b{day}\s+(?:of\s+|de\s+)?(?P<month>{_MONTH})\b)"
        rf"|(?P<etad>\b(?P<htnom>{_MONTH})\s+(?P<yad>[0-3]?\d)(?:st|nd|rd|th)?\b(?![.,:]?\d))"
        rf"|(?P<rank>\b(?P<nth>\d+)(?:st|nd|rd|th|[ºª])(?!\w)|\b(?P<nthword>{ordinals})\b)"
        rf"|(?P<digits>{_CURRENCY}(?<![\w.])(?P<amount>-?\d+(?:[.,\u00a0\u202f]\d+)*)"
        rf"(?: (?P<scale>hundred|thousand|million|billion|mil|millon|millones)\b)?)"
        rf"|(?P<words>\b(?:{words})(?:{glue}(?:{words}))*\b)"
    )


_CLOCK = r"\s*(?:[ap]\.?m\b|h\b|horas\b)"
_PATTERN = {language: _pattern(language) for language in SMALL}
_UNIT = re.compile(r"[\s-]?(?:degrees?\s|grados?\s|°\s)?\s?(%|°\s?[cf]\b|[$€£]|[a-z]+)")
_PERCENT = re.compile(r"\s(?:per cent|por ciento)\b")


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount and where it stands in the text (`start` to `end`, in characters).

    `kind`: number, ordinal, time or date. `value`: of a time, minutes after midnight; of a date,
    month and day. `measure` is what the unit measures, "" for a bare number, and `factor` how
    many of the smallest unit; `sure` says that a time's half of the day is known.
    """

    kind: str
    value: Decimal
    start: int = 0
    end: int = 0
    measure: str = ""
    factor: Decimal = Decimal(1)
    sure: bool = False

    def equals(self, other: "Quantity") -> bool:
        """Whether both say the same; a missing unit, or half of the day, fits any."""
        if {self.kind, other.kind} == {"time", "number"}:
            time, number = (self, other) if self.kind == "time" else (other, self)
            return not number.measure and time.value % HALF_DAY == number.value * 60 % HALF_DAY
        if self.kind != other.kind:
            return False
        if self.kind == "time" and not (self.sure and other.sure):
            return self.value % HALF_DAY == other.value % HALF_DAY
        if self.measure and other.measure:
            same = self.value * self.factor == other.value * other.factor
            return same and self.measure == other.measure
        return self.value == other.value


def flat(text: str) -> str:
    """Return the text in small letters without accents, every character in its place."""
    if text.isascii():
        return text.lower()
    return "".join(unicodedata.normalize("NFD", char)[:1].lower()[:1] or " " for char in text)


def quantities(text: str, language: str = "en") -> Iterator[Quantity]:
    """Yield the amounts of a `flat` text, from left to right."""
    language = language if language in SMALL else "en"
    end = 0
    for match in _PATTERN[language].finditer(text):
        found = _quantity(match, language) if match.start() >= end else None
        if found is not None:
            kind, value, sure = found
            unit = _unit(text, match) if kind == "number" else ("", Decimal(1), match.end())
            end = unit[2]
            yield Quantity(kind, value, match.start(), end, unit[0], unit[1], sure)


def _quantity(  # noqa: PLR0911  # one return a way of writing
    match: re.Match[str], language: str
) -> tuple[str, Decimal, bool] | None:
    group = match.groupdict()
    if group["iso"]:
        _year, month, day = map(int, group["iso"].split("-"))
        return "date", Decimal(month * 100 + day), True
    if group["time"]:
        minutes = 60 * int(group["h"]) + int(group["m"] or group["p"])
        return _clock(minutes, group["half1"])
    if group["whole"]:
        return _clock(60 * int(group["hh"]), group["half2"])
    if group["spoken"]:
        return _spoken(group, language)
    if group["date"] or group["etad"]:
        named, numbered = group["month"] or group["htnom"], group["day"] or group["yad"]
        number = int(numbered) if numbered.isdigit() else SMALL[language][numbered]
        return "date", Decimal(MONTH[named] * 100 + number), True
    if group["rank"]:
        return _rank(group, match, language)
    if group["digits"]:
        scale = {**SCALES["en"], **SCALES["es"]}.get(group["scale"] or "", 1)
        return "number", _number(group["amount"], language) * scale, False
    return "number", Decimal(_in_words(group["words"], language)), False


def _clock(minutes: int, half: str | None) -> tuple[str, Decimal, bool]:
    if half is None:
        return "time", Decimal(minutes), minutes >= HALF_DAY
    afternoon = half.strip().startswith("p") or half.endswith(("tarde", "noche"))
    return "time", Decimal(minutes % HALF_DAY + HALF_DAY * afternoon), True


def _spoken(group: dict[str, str | None], language: str) -> tuple[str, Decimal, bool]:
    word = group.get("hour_en") or group.get("hour_es") or "0"
    hour = int(word) if word.isdigit() else SMALL[language][word]
    part = group.get("part") or group.get("parte") or ""
    minutes = 30 if part in ("half past", "y media") else 15
    sign = -1 if part in ("quarter to", "menos cuarto") else 1
    return "time", Decimal((60 * hour + sign * minutes) % (2 * HALF_DAY)), False


def _rank(
    group: dict[str, str | None], match: re.Match[str], language: str
) -> tuple[str, Decimal, bool] | None:
    if group["nth"]:
        return "ordinal", Decimal(group["nth"]), False
    word = group["nthword"] or ""
    if word in ("second", "segundo") and _after_amount(match):
        return None  # "a second", "60 second": of time
    for place, listed in enumerate(ORDINALS[language].split(), 1):
        if re.fullmatch(listed, word):
            return "ordinal", Decimal(place), False
    return None


def _after_amount(match: re.Match[str]) -> bool:
    before = match.string[: match.start()].rstrip(" -").rpartition(" ")[2]
    return before in ("a", "per", "one", "un", "por", "cada", "each", "every") or before.isdigit()


def _number(digits: str, language: str) -> Decimal:
    """Read digits with separators: groups of three are thousands, what is left is a fraction."""
    thousands, point = (".", ",") if language == "es" else (",", ".")
    digits = re.sub("[\u00a0\u202f]", "", digits)
    for mark in (thousands, point):
        if re.fullmatch(rf"-?[1-9]\d{{0,2}}(?:\{mark}\d{{3}})+", digits) and (
            mark == thousands or digits.count(mark) > 1
        ):
            return Decimal(digits.replace(mark, ""))
    if thousands in digits and point in digits:
        digits = digits.replace(thousands, "")
    parts = re.split("[.,]", digits)
    return Decimal(parts[0] + "." + "".join(parts[1:]) if len(parts) > 1 else digits)


def _in_words(words: str, language: str) -> int:
    """Read "one hundred and five", "nineteen eighty-seven", "mil novecientos ochenta y siete"."""
    total = current = 0
    last = 0
    for word in re.split(r"[ -]", words):
        if word in SCALES[language]:
            scale = SCALES[language][word]
            current = max(current, 1) * scale
            if scale > CENTURY:
                total, current = total + current, 0
        elif word in SMALL[language]:
            value = SMALL[language][word]
            if _is_year(last, value, current, total):
                current *= CENTURY  # nineteen | eighty-seven
            current, last = current + value, value
    return total + current


def _is_year(last: int, value: int, current: int, total: int) -> bool:
    tens, teens = 20, 10
    return not total and current == last and teens <= last < CENTURY and tens <= value < CENTURY


def _unit(text: str, match: re.Match[str]) -> tuple[str, Decimal, int]:
    if currency := match.groupdict().get("currency"):
        return *UNITS[currency.strip()], match.end()
    if percent := _PERCENT.match(text, match.end()):
        return "percent", Decimal(1), percent.end()
    found = _UNIT.match(text, match.end())
    name = re.sub(r"\s", "", found[1]) if found else ""
    for known, stem in product((name, name.removesuffix("s")), UNITS):
        if known == stem and found:
            return *UNITS[stem], found.end()
    return "", Decimal(1), match.end()
