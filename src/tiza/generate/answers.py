"""Read what a teacher wrote, whatever it looks like.

JSON where the endpoint keeps a schema. Elsewhere the objects in the text, with prose, code fences,
trailing commas and a lost end forgiven; else lines that begin with `Question:` or `Answer:`.
Reading takes bounded time: longer replies are refused, few starts are tried, and no pattern
backtracks.
Knows nothing of lessons: whether what was read is good is for `checks` and judges.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tiza.translation import N_

LONGEST_REPLY = 80_000  # characters; far more than any step asks for
MOST_OBJECTS, MOST_BROKEN = 300, 30  # that are read in one reply, and that are tried in vain
MOST_VALUES = 20_000

EMPTY = N_("the reply is empty")
TOO_LONG = N_("the reply is far too long: {count} characters")
ECHO = N_("the reply repeats the request")
UNREADABLE = N_("nothing in the reply has the form that was asked for")
NO_QUESTION = N_("an answer without a question")
NO_ANSWER = N_("a question without an answer")
NO_SCORE = N_("the judge's reply has no score from {least} to {most}")
TWO_SCORES = N_("the judge gives different scores: {scores}")

QUESTION_KEYS = ("question", "pregunta", "exercise", "ejercicio", "instruction")
ANSWER_KEYS = ("answer", "respuesta", "solution", "solución", "response")
LIST_KEYS = {
    "questions": ("questions", "preguntas", "exercises", "ejercicios"),
    "contexts": ("contexts", "contextos", "texts", "textos"),
}
SCORE_KEYS = ("score", "puntuación", "puntuacion")
REASON_KEYS = ("reason", "razón", "razon", "explanation")

# A whole text in quotes (the last may have lost its end), or a comma before a closing bracket.
TEXT_OR_COMMA = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|,(?=\s*+[\]}])', re.DOTALL)
MARKED = re.compile(
    r"[\s>*#_-]{0,6}+(?:\d{1,3}[.)]\s?[*_]{0,2})?"
    r"(?:(question|pregunta|answer|respuesta)\s?\d{0,3}[*_]{0,2}\s?[:.)]|([qpar])\s?\d{0,3}\s?:)[*_]{0,2}",
    re.IGNORECASE,
)
LISTED = re.compile(r"\s{0,6}+(?:\d{1,3}[.)]|[-*•])\s")
SCORE_LINE = re.compile(
    r"(?:score|puntuación|puntuacion)[\"*_]{0,3}\s?[:=][\"*_]{0,3}\s?(\d{1,3}(?:\.\d{1,3})?)",
    re.IGNORECASE,
)
BLOCK = re.compile(r"\A```[\w-]{0,20}\n(.*)\n```\Z", re.DOTALL)
UNWRITABLE = re.compile("[\ud800-\udfff\0]")
DECODER = json.JSONDecoder(strict=False)


class Pair(NamedTuple):
    """A question with its answer; either may be empty."""

    question: str
    answer: str


class Verdict(NamedTuple):
    """What a judge said."""

    reason: str
    score: float


class Unreadable(Exception):
    """A reply holds nothing that can be used; `reason` is a template over `data`."""

    def __init__(self, reason: str, **data: object) -> None:
        super().__init__(reason)
        self.reason, self.data = reason, data


def text(reply: str) -> str:
    """Return a reply that is a text by itself, without the fence or the key around it.

    Raises:
        Unreadable: it is empty or far too long.

    """
    reply = _clean(_measured(reply))
    if block := BLOCK.match(reply):
        reply = block[1].strip()
    if reply.startswith("{"):
        for value in _objects(reply):
            if answer := _first(value, ANSWER_KEYS):
                return answer
    marked = MARKED.match(reply)
    if marked and (marked[1] or "").casefold() in ANSWER_KEYS:
        reply = reply[marked.end() :].strip()
    if not reply:
        raise Unreadable(EMPTY)
    return reply


def pairs(reply: str) -> list[Pair]:
    """Return the questions and answers of a reply, at least one.

    Raises:
        Unreadable: there is none, or the reply is empty or far too long.

    """
    reply = _measured(reply)
    found = [
        Pair(_first(value, QUESTION_KEYS), _first(value, ANSWER_KEYS))
        for value in _objects(reply)
        if any(key in value for key in (*QUESTION_KEYS, *ANSWER_KEYS))
    ]
    found = found or list(_marked_pairs(reply))
    if not found:
        raise Unreadable(UNREADABLE)
    return found


def texts(reply: str, name: str) -> list[str]:
    """Return the `questions` or the `contexts` of a reply, at least one.

    Raises:
        Unreadable: there is none, or the reply is empty or far too long.

    """
    reply = _measured(reply)
    one = QUESTION_KEYS if name == "questions" else ("context", "contexto", "text", "texto")
    found = _bare_list(reply)
    for value in _objects(reply):
        for entries in (value[key] for key in LIST_KEYS[name] if key in value):
            found += _texts(entries)
        found += [single for single in [_first(value, one)] if single]
    if not found and name == "questions":
        found = [pair.question for pair in _marked_pairs(reply) if pair.question]
        found = found or [line[m.end() :].strip() for line, m in _listed(reply)]
    if not found:
        raise Unreadable(UNREADABLE)
    return found


def verdict(reply: str, least: int, most: int) -> Verdict:
    """Return the reason and the score of a judge.

    Raises:
        Unreadable: no score within the scale, several different ones, or an empty or endless reply.

    """
    reply = _measured(reply)
    said = [value for value in _objects(reply) if any(key in value for key in SCORE_KEYS)]
    scores = [_number(next(value[k] for k in SCORE_KEYS if k in value)) for value in said]
    if not said:
        scores = [float(number) for number in SCORE_LINE.findall(reply)]
    if not scores or any(score is None or not least <= score <= most for score in scores):
        raise Unreadable(NO_SCORE, least=least, most=most)
    if len(set(scores)) > 1:
        shown = ", ".join(f"{score:g}" for score in scores[:5] if score is not None)
        raise Unreadable(TWO_SCORES, scores=shown)
    reason = _first(said[0], REASON_KEYS) if said else reply
    return Verdict(reason, scores[0] or 0.0)


def _measured(reply: str) -> str:
    if len(reply) > LONGEST_REPLY:
        raise Unreadable(TOO_LONG, count=len(reply))
    if not (reply := reply.strip()):
        raise Unreadable(EMPTY)
    return reply


def _objects(reply: str) -> list[dict[str, Any]]:
    """Return the JSON objects of a text, those inside others too; keys in small letters."""
    if "{" not in reply:
        return []
    found = list(_decoded(reply))
    if not found:
        found = list(_decoded(TEXT_OR_COMMA.sub(_without_comma, reply)))
    return [value for each in found for value in _walk(each)]


def _decoded(reply: str) -> Iterator[dict[str, Any]]:
    """Yield the objects that can be read; where one is broken, those inside it are tried."""
    whole, broken, at = 0, 0, reply.find("{")
    while at >= 0 and whole < MOST_OBJECTS and broken < MOST_BROKEN:
        try:
            value, end = DECODER.raw_decode(reply, at)
            whole += 1
            yield value
        except (ValueError, RecursionError):
            broken, end = broken + 1, at + 1
        at = reply.find("{", end)


def _bare_list(reply: str) -> list[str]:
    """Return the texts of a reply that is a JSON list and nothing else."""
    try:
        value = json.loads(reply) if reply.startswith("[") else []
    except (ValueError, RecursionError):
        return []
    return _texts(value)


def _texts(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else []
    return [said for each in listed if isinstance(each, str) and (said := _clean(each))]


def _clean(said: str) -> str:
    """Leave out what no file may hold: escapes in JSON can make half characters and zeros."""
    return UNWRITABLE.sub("", said).strip()


def _without_comma(found: re.Match[str]) -> str:
    return "" if found[0] == "," else found[0]


def _walk(value: Any) -> Iterator[dict[str, Any]]:
    waiting, seen = [value], 0
    while waiting and seen < MOST_VALUES:
        value, seen = waiting.pop(), seen + 1
        if isinstance(value, dict):
            yield {str(key).casefold().strip(): each for key, each in value.items()}
            waiting += reversed(value.values())
        elif isinstance(value, list):
            waiting += reversed(value)


def _first(value: dict[str, Any], keys: tuple[str, ...]) -> str:
    found = next((value[key] for key in keys if key in value), "")
    if isinstance(found, int | float) and not isinstance(found, bool):
        return str(found)
    return _clean(found) if isinstance(found, str) else ""


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _marked_pairs(reply: str) -> Iterator[Pair]:
    """Yield what follows `Question:` and `Answer:`, each up to the next such line."""
    question, answer, inside = "", "", ""
    for line in reply.splitlines():
        marked = MARKED.match(line)
        if marked is None:
            question += f"\n{line}" if inside == "q" else ""
            answer += f"\n{line}" if inside == "a" else ""
            continue
        rest, begins = line[marked.end() :], (marked[1] or marked[2])[0].casefold()
        if begins in "qp":
            if question or answer:
                yield Pair(question.strip(), answer.strip())
            question, answer, inside = rest, "", "q"
        elif inside == "a":  # a second answer has no question
            answer += f"\n{line}"
        else:
            answer, inside = rest, "a"
    if question or answer:
        yield Pair(question.strip(), answer.strip())


def _listed(reply: str) -> Iterator[tuple[str, re.Match[str]]]:
    for line in reply.splitlines():
        if (match := LISTED.match(line)) and line[match.end() :].strip():
            yield line, match
