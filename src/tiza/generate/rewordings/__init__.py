"""Honest rewordings of a question: rules of grammar, no model. Same meaning, same answer.

A rule that is not sure does not fire: fewer rewordings are better than wrong ones. Each language
has a module with its families of rules; a family is one shape of asking (indirectly, with the topic
in front, as a definition, …). Knows no lesson, no answer and no exam.
"""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from random import Random

from tiza.generate.rewordings import en, es
from tiza.generate.rewordings.prompt import Families, Prompt
from tiza.generate.similar import spelling
from tiza.taxonomy.words import FILLERS, tokens

FAMILIES: Mapping[str, Families] = {"en": en.FAMILIES, "es": es.FAMILIES}
PER_SHAPE = 3
FEWEST_WORDS = 3
ASKING_WORDS = """
what which who whom whose where when why how explain describe qué cuál cuáles quién quiénes cómo
cuándo dónde cuánto cuánta cuántos cuántas por explica describe
"""
SILENT = FILLERS | set(ASKING_WORDS.split())


def reword(question: str, language: str, limit: int, seed: int) -> list[str]:
    """Return at most `limit` rewordings, shapes that differ most from the question first.

    `language` is a BCP 47 tag; a language without rules has no rewordings. The same arguments give
    the same list. No two are alike, nor like the question, but for case, accents and marks.
    """
    families = FAMILIES.get(language.lower().partition("-")[0], ())
    prompt = Prompt.of(question)
    chance = Random(f"{seed}\0{question}")  # noqa: S311  # variety, no secret
    found: dict[str, str] = {spelling(question): ""}
    for text in _in_turns([_shuffled(family(prompt), chance) for family in families]):
        found.setdefault(spelling(text), text)
    return [text for text in found.values() if text][: max(limit, 0)]


def searched(question: str) -> str:
    """Return a question as it is typed into a search box: its telling words; "" if they are few."""
    words = [word for word in tokens(question) if word not in SILENT]
    return " ".join(words) if len(words) >= FEWEST_WORDS else ""


def _shuffled(texts: list[str], chance: Random) -> list[str]:
    return chance.sample(texts, min(len(texts), PER_SHAPE))


def _in_turns(families: list[list[str]]) -> Iterator[str]:
    """Yield the first of each family, then the second of each, and so on."""
    for turn in zip_longest(*families):
        yield from (text for text in turn if text is not None)
