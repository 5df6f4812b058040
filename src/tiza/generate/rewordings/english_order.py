"""English word order: a question as a clause, "when does it open" → "when it opens".

Answers None unless sure: one has to know where the subject ends, and without a parser only closed
lists of words tell.
"""

import re
from collections.abc import Sequence

from tiza.generate.rewordings.english_words import (
    ADJECTIVES,
    ADVERBS,
    BE,
    CLAUSE,
    DETERMINERS,
    DO,
    HAVE,
    MODALS,
    NOT_A_SUBJECT,
    PARTICIPLES,
    PREDICATES,
    PREPOSITIONS,
    PRONOUNS,
    QUESTION_WORDS,
    STATES,
    SUPERLATIVE,
    VERBS,
    past,
    third_person,
)

LONGEST_OPENING = 7  # words before the verb: "on which day of the week", "how many books"
LONGEST_SUBJECT = 10
SHORTEST_NAME_OF_A_THING = 5  # letters of a noun without article: "chlorophyll", not "left"

Words = list[str]


def embedded(question: str) -> str | None:
    """Return the question as a clause: "who teaches physics", "whether it is a planet"."""
    words = question.split()
    low = [word.lower().strip(",") for word in words]
    if len(words) < 3 or _tangled(low):  # noqa: PLR2004  # verb, subject and more
        return None
    opening = 1 if low[0] in PREPOSITIONS and low[1] in QUESTION_WORDS else 0
    if low[opening] in QUESTION_WORDS:
        words[0] = low[0]
        return _open_question(words, low, opening)
    return _yes_or_no(words, low)


def is_noun_phrase(words: Sequence[str]) -> bool:
    """Whether the words are surely one noun phrase, such as "the highest mountain in Peru"."""
    if not words or len(words) > LONGEST_SUBJECT or words[-1].lower() in PREPOSITIONS:
        return False
    if len(words) == 1 and words[0].islower():
        return len(words[0]) >= SHORTEST_NAME_OF_A_THING and _is_name_of_a_thing(words[0])
    if words[0].lower() not in DETERMINERS and not words[0][0].isupper():
        return False
    return not any(_breaks(words, at) for at in range(len(words)))


def _is_name_of_a_thing(word: str) -> bool:
    return word not in NOT_A_SUBJECT | ADJECTIVES and not word.endswith(("er", "ing", "ed", "ly"))


def _breaks(words: Sequence[str], at: int) -> bool:
    """Whether the word at a place may be a verb, or begins a clause, or is no noun's companion."""
    word, before = words[at].lower(), words[at - 1].lower() if at else ""
    after = words[at + 1].lower() if at + 1 < len(words) else ""
    if word in CLAUSE | NOT_A_SUBJECT | BE | MODALS | DO or not word.strip(","):
        return True
    if "," in word or (at and word in PRONOUNS):
        return True
    if word.endswith("ing") and at and before not in DETERMINERS | PREPOSITIONS | {"and", "or"}:
        return True
    ends = not after or after in PREPOSITIONS
    return bool(at) and ends and _is_participle(words[at]) and before not in DETERMINERS


def _is_participle(word: str) -> bool:
    return word.islower() and (word in PARTICIPLES or (word.endswith("ed") and len(word) > 4))  # noqa: PLR2004  # "need", "seed"


def _tangled(low: Words) -> bool:
    """Whether there are two questions, a denial, or a second inverted verb."""
    asked = sum(word in QUESTION_WORDS for word in low)
    supported = sum(word in DO - {"do"} for word in low)
    return asked > 1 or supported > 1 or any(w == "not" or w.endswith("n't") for w in low)


def _open_question(words: Words, low: Words, at: int) -> str | None:
    verb = next((i for i in range(at + 1, len(low)) if low[i] in BE | DO | MODALS | HAVE), None)
    if verb is None:
        return _asks_for_the_subject(words, low, at)
    if verb > LONGEST_OPENING or verb + 1 == len(words):
        return None
    if low[verb] in HAVE:
        kept = low[verb + 1] in {"no", "been", "more"} or SUPERLATIVE.match(
            " ".join(low[verb + 1 :])
        )
        return " ".join(words) if kept and verb > at and at == 0 else None
    if low[verb] in BE:
        return _with_be(words, low, verb)
    if CLAUSE.intersection(low[verb:]):
        return None
    return _with_auxiliary(words[:verb], low[verb], words[verb + 1 :])


def _asks_for_the_subject(words: Words, low: Words, at: int) -> str | None:
    """Return the words as they are: without an auxiliary verb, the question word is the subject."""
    if at or low[0] not in {"who", "what", "which", "how"}:
        return None
    if low[0] == "how" and low[1] not in {"many", "much"}:
        return None
    return None if low[1] in {"about", "if", "else", "come", "of", "a", "an"} else " ".join(words)


def _with_be(words: Words, low: Words, verb: int) -> str | None:
    opening, be, rest = words[:verb], low[verb], words[verb + 1 :]
    following = " ".join(rest)
    if verb > 1 and low[0] in {"which", "what"}:
        return _thing_that_is(opening, be, rest)
    if low[0] in {"who", "what", "which"} and re.match(r"(special|unusual) about ", following):
        return " ".join(words)
    if low[0] == "how" and verb > 1:
        return _measured(opening, be, following)
    if verb > 1:
        return None
    if _is_all_subject(low[0], rest):
        return " ".join([*opening, *rest, be])
    return _before_predicate(opening, be, rest)


def _is_all_subject(asked: str, rest: Words) -> bool:
    """Whether nothing is said of the subject: "where is the pool", not "where is the pool deep"."""
    head = next((i for i, word in enumerate(rest) if word in PREPOSITIONS), len(rest))
    if asked not in {"who", "what", "where", "when"} or not is_noun_phrase(rest):
        return False
    if rest[head - 1] in STATES | ADJECTIVES or SUPERLATIVE.match(f"the {rest[head - 1]}"):
        return False
    if rest[0][0].isupper():
        return all(word[0].isupper() for word in rest[:head]) or asked == "what"
    if rest[0].lower() not in DETERMINERS:
        return asked == "what"
    return asked != "when" or head <= 2  # noqa: PLR2004  # "the concert", but "the hall full"


def _thing_that_is(opening: Words, be: str, rest: Words) -> str | None:
    """Return "which planet is the largest", "what kind of star the Sun is"."""
    following = " ".join(rest)
    if SUPERLATIVE.match(following) or rest[0] in {"in", "on", "at", "larger", "smaller"}:
        return " ".join([*opening, be, *rest])
    if " ".join(opening[1:]).startswith(("kind of", "sort of", "type of")) and is_noun_phrase(rest):
        return " ".join([*opening, *rest, be])
    return None


def _measured(opening: Words, be: str, following: str) -> str | None:
    """Return "how high the mountain is", "how far Earth is from the Sun"."""
    subject, apart, place = following.partition(" from ")
    if len(opening) != 2 or (apart and opening[1] != "far"):  # noqa: PLR2004  # "how" and how
        return None
    if not is_noun_phrase(subject.split()) or (apart and not is_noun_phrase(place.split())):
        return None
    return " ".join([*opening, subject, be]) + apart + place


def _before_predicate(opening: Words, be: str, rest: Words) -> str | None:
    """Return "what the rings are made of", "when Rome was founded": `be` goes before the verb."""
    found = PREDICATES.search(" ".join(rest))
    if found and is_noun_phrase(subject := found["subject"].split()):
        if subject[-1] in ADJECTIVES | STATES:
            return None
        return " ".join([*opening, found["subject"], be, found["predicate"]])
    places = [i for i in range(1, len(rest)) if _is_participle(rest[i])]
    if opening[0] in {"who", "what"} or len(places) != 1 or CLAUSE.intersection(rest):
        return None
    (at,) = places
    if at + 1 < len(rest) and rest[at + 1].lower() not in PREPOSITIONS | {"according"}:
        return None
    subject = rest[:at]
    if not is_noun_phrase(subject) and not (len(subject) == 1 and subject[0].isalpha()):
        return None
    return " ".join([*opening, *subject, be, *rest[at:]])


def _with_auxiliary(opening: Words, auxiliary: str, rest: Words) -> str | None:
    """Return "when the library opens", "how many books a pupil may borrow"."""
    at = _verb(rest)
    if at is None or (auxiliary == "do" and rest[0] == "I"):  # "where I put it" may be the past
        return None
    subject, verb = rest[:at], rest[at]
    if auxiliary == "does":
        verb = third_person(verb)
    elif auxiliary == "did":
        inflected = past(verb)
        if inflected is None:
            return None
        verb = inflected
    middle = [*subject, auxiliary, verb] if auxiliary in MODALS else [*subject, verb]
    return " ".join([*opening, *middle, *rest[at + 1 :]])


def _verb(rest: Words) -> int | None:
    """Return where the main verb stands, if one word alone can be it."""
    if len(rest) > 1 and rest[0] in PRONOUNS:
        return 1 if rest[1] in VERBS else None
    places = [i for i in range(1, len(rest)) if _may_be_verb(rest, i)]
    if len(places) != 1 or "," in " ".join(rest[: places[0]]):
        return None
    return places[0]


def _may_be_verb(rest: Words, at: int) -> bool:
    before, after = rest[at - 1].lower(), rest[at + 1] if at + 1 < len(rest) else ""
    if rest[at] not in VERBS or before in DETERMINERS | PREPOSITIONS | ADJECTIVES | {"and", "or"}:
        return False
    free = not after or after[0].isupper() or after in DETERMINERS | PREPOSITIONS | ADVERBS
    return free or rest[at] in {"do", "mean", "need", "have"} or not after.isalpha()


def _yes_or_no(words: Words, low: Words) -> str | None:
    """Return "whether the Sun is a planet", "whether you can carry water"."""
    auxiliary, rest = low[0], words[1:]
    if CLAUSE.intersection(low):
        return None
    if auxiliary in DO | MODALS:
        clause = _with_auxiliary([], auxiliary, rest)
        return clause and f"whether {clause}"
    if auxiliary not in BE:
        return None
    if low[1] in PRONOUNS | {"there"}:
        return " ".join(["whether", low[1], auxiliary, *rest[1:]])
    found = re.fullmatch(r"((?:the )?[A-Z]?[\w]+|every \w+) (an? .+)", " ".join(rest))
    return f"whether {found[1]} {auxiliary} {found[2]}" if found else None
