"""Text, titles, words and identifiers: what needs no database."""

import threading
import time

import pytest

from tiza.store.identifiers import new_id, parsed
from tiza.store.records import Person
from tiza.store.snippets import snippet
from tiza.store.text import TITLE_CHARS, storable, title_of
from tiza.store.words import Query, words_of


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("What is chalk?", "What is chalk?"),
        ("\n\n  # **What**   is `chalk`?  \nmore", "What is chalk?"),
        ("- 1) ¿Qué es?\n", "¿Qué es?"),
        ("```\nprint(1)\n```", "print(1)"),
        ("", ""),
        ("…?!\n***", ""),
        ("3 apples", "3 apples"),
        ("one two three four five six seven eight nine ten eleven twelve", None),
        ("x" * 500, "x" * 59 + "…"),
    ],
)
def test_title_is_a_short_line_when_made_of_a_question(question: str, title: str | None) -> None:
    """A title is the first line with words, without markup, cut between words."""
    made = title_of(question)

    assert len(made) <= TITLE_CHARS
    assert made == title if title is not None else made.endswith(" eleven…")


def test_storable_changes_nothing_when_text_is_good() -> None:
    """Everything but NUL and lone surrogates stays as it is."""
    good = "a\tb\n\r\x01\x7fñ😀\ufeff\uffff"
    assert storable(good) == good
    assert storable("\x00\udc00") == "\ufffd\ufffd"


def test_words_are_folded_when_they_are_taken_from_text() -> None:
    """Words have neither case nor accents, come once, and have an end."""
    assert words_of("Él él-EL, snake_case: 3.5 straße ﬁn") == [
        "el",
        "snake",
        "case",
        "3",
        "5",
        "strasse",
        "fin",
    ]
    assert len(words_of("x" * 100)[0]) == 40
    assert words_of("... \x00 — 😀") == []


def test_query_has_no_operator_when_it_is_written() -> None:
    """Both languages see quoted words that say whose they are."""
    query = Query.of(Person(7), 'NEAR("Ábaco" b*')
    assert query.fts5 == '"7xnear" AND "7xabaco" AND "7xb"'
    assert Query.of(Person(7), "ab").tsquery == "'7xab':*"


def test_snippet_is_the_beginning_when_the_word_is_not_in_the_text() -> None:
    """What was found by its title shows how its text begins."""
    assert snippet("a b c", Query.of(Person(1), "zzz")) == "a b c"
    assert snippet("", Query.of(Person(1), "zzz")) == ""


def test_identifiers_grow_when_many_threads_make_them() -> None:
    """No two are equal, and within a thread each is greater than the one before."""
    made: list[list[str]] = [[] for _ in range(4)]

    def make(to: list[str]) -> None:
        to.extend(new_id() for _ in range(2000))

    threads = [threading.Thread(target=make, args=(each,)) for each in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(each == sorted(each) for each in made)
    assert len({id_ for each in made for id_ in each}) == 8000
    assert abs(int(new_id()[:12], 16) / 1000 - time.time()) < 5
    assert new_id()[12] == "7"


@pytest.mark.parametrize(
    "text", ["", "x" * 32, "A" * 32, "0" * 31, "0" * 33, "0" * 32 + "\n", chr(0x660) * 32]
)
def test_text_is_no_identifier_when_its_form_is_wrong(text: str) -> None:
    """Only what could have been made here is looked up."""
    assert parsed(text) is None
    assert parsed("0" * 32) == "0" * 32
