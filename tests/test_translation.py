"""Which language a reader gets, and what a sentence becomes in it."""

import gettext

import pytest

from tiza.translation import (
    LANGUAGES,
    LOCALE_PATH,
    accepted_language,
    best_language,
    catalogue,
    terminal_language,
    translate,
)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("es", "es"),
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("en-GB,en;q=0.9,es;q=0.8", "en"),
        ("fr,es;q=0.3,en;q=0.2", "es"),
        ("en;q=0.2, es;q=0.8", "es"),
        ("en;q=0.2, es ; q=0.8", "es"),
        ("EN;Q=0.2, ES;Q=0.8", "es"),
        ("es;q=0, en", "en"),
        ("es;q=0", "en"),
        ("es;q=0.0, *", "en"),
        ("de, *;q=0.5", "en"),
        ("es;q=nan, en;q=0.1", "en"),
        ("es;q=9, en;q=0.1", "en"),
        (";;;,,,=", "en"),
        ("\xff\x00", "en"),
        ("", "en"),
        ("xx," * 1000 + "es", "en"),
    ],
)
def test_accepted_language_follows_the_header_when_a_client_states_preferences(
    header: str, language: str
) -> None:
    """The tag of highest weight that Tiza speaks wins; weight 0 excludes; nonsense is English."""
    assert accepted_language(header) == language


@pytest.mark.parametrize(
    ("tags", "language"),
    [
        (["es_MX.UTF-8"], "es"),
        (["es"], "es"),
        (["C.UTF-8"], "en"),
        (["POSIX"], "en"),
        (["pt_BR.UTF-8", "es_ES"], "es"),
        ([], "en"),
    ],
)
def test_best_language_reads_tags_of_every_form(tags: list[str], language: str) -> None:
    """POSIX locales and web tags name the same languages."""
    assert best_language(tags) == language


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"TIZA_LANG": "es", "LANG": "en_US.UTF-8"}, "es"),
        ({"LANG": "es_AR.UTF-8"}, "es"),
        ({"LC_ALL": "C", "LANG": "es_AR.UTF-8"}, "en"),
        ({"LC_MESSAGES": "es_ES.UTF-8", "LANG": "en_US.UTF-8"}, "es"),
        ({}, "en"),
    ],
)
def test_terminal_language_is_of_the_first_variable_when_several_are_set(
    variables: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TIZA_LANG wins, then LC_ALL, LC_MESSAGES and LANG, as POSIX orders them."""
    for name in ("TIZA_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert terminal_language() == language


def test_translate_leaves_a_sentence_when_the_catalogue_lacks_it() -> None:
    """A missing translation is shown in English rather than not at all."""
    assert translate("A sentence that nobody has translated.", "es") == (
        "A sentence that nobody has translated."
    )


def test_translate_is_empty_when_there_is_nothing_to_say() -> None:
    """The empty message is not the catalogue's header, which gettext keeps under it."""
    assert [translate("", language) for language in LANGUAGES] == ["", ""]


def test_catalogue_is_there_when_spanish_is_asked_for() -> None:
    """The compiled Spanish catalogue is installed with the package."""
    assert gettext.find("messages", str(LOCALE_PATH), ["es"])
    assert catalogue("es").gettext("Not found") != "Not found"
