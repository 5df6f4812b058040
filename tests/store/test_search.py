"""Search: words in any order, case or accent, in titles and messages; no query has operators."""

import pytest

from tests.store.talk import conversation, done, empty
from tiza.errors import CursorInvalid
from tiza.store import search
from tiza.store.records import Person, Wanted
from tiza.store.store import Store

HOSTILE = [
    '"',
    '"unclosed',
    "'",
    "';DROP TABLE messages;--",
    "NEAR(a b, 3)",
    "a AND",
    "OR",
    "NOT",
    "a NOT b",
    "words:a",
    "{words} : a",
    "^a",
    "a*",
    "*",
    "-a",
    "a + b",
    "(",
    "))",
    "a & | ! <-> b",
    "a:*ABCD",
    ":*",
    "\\",
    "%",
    "_",
    "\x00",
    "\ud800",
    "a\x00b",
    "😀",
    "a" * 10_000,
    "a " * 5_000,
    "1xa",
    "' ' | 'a'",
    "$1 :words ?",
]


async def found(store: Store, person: Person, query: str) -> list[str]:
    """Return the titles of what is found."""
    return [each.title for each in (await store.search.find(person, query)).conversations]


async def test_words_are_found_when_case_and_accents_differ(store: Store, ana: Person) -> None:
    """English and Spanish are found as people type them."""
    await conversation(store, ana, "¿Qué es la FOTOSÍNTESIS?", "Plants make sugar.", title="one")
    await conversation(store, ana, "El ñandú y la cigüeña", "naïve café", title="two")
    for query, titles in {
        "fotosíntesis": ["one"],
        "FOTOSINTESIS": ["one"],
        "foto\u0301sintesis": ["one"],
        "nandu": ["two"],
        "Cigueña": ["two"],
        "NAIVE CAFE": ["two"],
        "es que": ["one"],
        "la": ["two", "one"],
        "sugar plants": ["one"],
        "sugar café": [],
    }.items():
        assert await found(store, ana, query) == titles, query


async def test_last_word_is_a_beginning_when_it_may_still_be_typed(
    store: Store, ana: Person
) -> None:
    """Results come while one types; earlier words have to be whole."""
    await conversation(store, ana, "photosynthesis in leaves", "x", title="one")
    for query, count in {"photo": 1, "ph": 1, "p": 0, "leaves photo": 1, "photo leaves": 0}.items():
        assert len(await found(store, ana, query)) == count, query


async def test_titles_are_found_when_they_were_changed(store: Store, ana: Person) -> None:
    """A title is found as it is now, not as it was."""
    place = await empty(store, ana, "Old name")
    await store.conversations.change(ana, place, title="Título nuevo")

    assert await found(store, ana, "titulo") == ["Título nuevo"]
    assert await found(store, ana, "old") == []


async def test_nothing_is_found_when_it_is_anothers(store: Store, ana: Person, ben: Person) -> None:
    """Nobody finds what others wrote, whatever they write into their own texts."""
    await conversation(store, ana, "secret", f"{ben.id}xsecret {ben.id}xhidden", title="ana's")
    await conversation(store, ben, "mine", "open", title="ben's")

    assert await found(store, ben, "secret") == []
    assert await found(store, ben, "hidden") == []
    assert await found(store, ben, f"{ana.id}xsecret") == []
    assert await found(store, ana, "secret") == ["ana's"]


async def test_query_is_words_when_it_has_operators(store: Store, ana: Person) -> None:
    """No character of a query means anything to the database."""
    await conversation(store, ana, "a", "b", title="one")

    for query in HOSTILE:
        assert await found(store, ana, query) in ([], ["one"]), query
    assert await found(store, ana, "b") == ["one"]


async def test_pages_have_each_conversation_once_when_words_are_frequent(
    store: Store, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Conversations come by their newest hit, and none comes twice, by either way of searching."""
    for recent in (0, 4, 1000):
        monkeypatch.setattr(search, "RECENT", recent)
        word = f"tide{recent}"
        titles = [f"{word} {n}" for n in range(9)]
        first = [await conversation(store, ana, f"{word} in", word, title=t) for t in titles]
        for (each,) in first[::2]:  # these get new hits, in mixed order
            place = each.question.conversation_id
            begun = await store.messages.ask(ana, place, f"{word} again", Wanted())
            await store.messages.finish(begun.answer.id, done(f"{word} out"))

        shown: list[str] = []
        cursor = None
        while True:
            page = await store.search.find(ana, word, cursor=cursor, limit=2)
            shown += [each.title for each in page.conversations]
            if (cursor := page.cursor) is None:
                break
        assert shown == titles[::2][::-1] + titles[1::2][::-1]


async def test_snippet_shows_the_place_when_the_text_is_long(store: Store, ana: Person) -> None:
    """What is shown of a text has the word that was looked for."""
    long = "Anfang. " * 200 + "Aquí está el árbol de la vida. " + "Ende. " * 200
    await conversation(store, ana, long, "x")

    (hit,) = (await store.search.find(ana, "ARBOL vida")).conversations

    assert "el árbol de la vida" in hit.snippet
    assert hit.snippet.startswith("…")
    assert hit.snippet.endswith("…")
    assert len(hit.snippet) < 250


async def test_cursor_is_refused_when_it_is_broken(store: Store, ana: Person) -> None:
    """A cursor that no search gave out is an error that says so."""
    for cursor in ("", "x", "bGlzdCAxIHg", "c2VhcmNoIC0x", "c2VhcmNoIHg", "AAAA", "\x00"):
        with pytest.raises(CursorInvalid):
            await store.search.find(ana, "a", cursor=cursor)
