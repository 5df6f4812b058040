"""Facts asked from their other end, as students do who describe a thing and ask for its name.

"A set is a collection without duplicates" also answers "What is a collection without duplicates?".
Only statements about a common noun, whose verb is known for sure, are turned; in Spanish only
definitions. Knows no question.
"""

import re

from tiza.generate.rewordings.english_words import (
    CLAUSE,
    DETERMINERS,
    PREPOSITIONS,
    VERBS,
    third_person,
)

REST_OF_ANSWER = re.compile(
    r"(?:,? (?:for example|for instance|such as|e\.g\.|por ejemplo)\b|[;(]|[.:?!](?:\s|$)"
    r"|, (?:while|because|so|which|and|mientras|porque|y|que)\b).*",
    re.DOTALL,
)
PLACE_FIRST = re.compile(r"^(?:In|En) (?P<place>[A-Z]\w+),? (?P<rest>.+)")
PLACE_LAST = re.compile(r"(?P<head>.+) (?:in|en) (?P<place>[A-Z]\w+)$")
NO_NOUNS = PREPOSITIONS | CLAUSE | {"you", "it", "they", "he", "she", "we", "i", "there", "this"}
NO_NOUNS |= {"nobody", "everybody", "everyone", "somebody", "someone", "yes", "no", "one", "not"}
ENGLISH_VERBS = {third_person(verb) for verb in VERBS} | {"is", "are"}
SPANISH_DEFINITION = re.compile(
    r"(?P<head>(?:El|La|Un|Una) [^A-Z]+?(?: en [A-Z]\w+)?|[A-Z]\w+) (?P<rest>es una? .+)"
)
LONGEST_HEAD, SHORTEST_REST = 7, 4  # words


def turned(answer: str, language: str) -> str:
    """Return the question that an answer's first statement also answers; "" when unsure."""
    statement = REST_OF_ANSWER.sub("", " ".join(answer.split())).strip()
    place = ""
    if found := PLACE_FIRST.match(statement):
        place, statement = found["place"], found["rest"]
    language = language.partition("-")[0].lower()
    head, rest = SPLITS[language](statement) if language in SPLITS else ("", "")
    if found := PLACE_LAST.match(head):
        place, head = found["place"], found["head"]
    if len(rest.split()) < SHORTEST_REST or re.search(r".[A-Z\d]", head):
        return ""
    if language == "es":
        return f"En {place}, ¿qué {rest}?" if place else f"¿Qué {rest}?"
    return f"In {place}, what {rest}?" if place else f"What {rest}?"


def _english(statement: str) -> tuple[str, str]:
    """Return what the statement is about, and what it says of it."""
    words = statement.split()
    for at, word in enumerate(words[: LONGEST_HEAD + 1]):
        if word.lower() in NO_NOUNS and not PLACE_LAST.match(" ".join(words[: at + 2])):
            break
        if at and word in ENGLISH_VERBS and words[at - 1].lower() not in DETERMINERS:
            return " ".join(words[:at]), " ".join(words[at:])
    return "", ""


def _spanish(statement: str) -> tuple[str, str]:
    found = SPANISH_DEFINITION.fullmatch(statement)
    return (found["head"], found["rest"]) if found else ("", "")


SPLITS = {"en": _english, "es": _spanish}
