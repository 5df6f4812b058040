"""Every error that Tiza raises can be told to a person, in each language."""

import re
from string import Formatter

import pytest

from tiza import errors
from tiza.errors import InvalidRequest, LessonsInvalid, RequestError, SettingsError, TizaError
from tiza.translation import LANGUAGES, translate


def _all_below(kind: type[TizaError]) -> list[type[TizaError]]:
    found = kind.__subclasses__()
    return found + [deeper for each in found for deeper in _all_below(each)]


KINDS = [kind for kind in _all_below(TizaError) if kind.__module__.startswith(errors.__name__)]
LISTS = (InvalidRequest, LessonsInvalid, SettingsError)  # made of several problems
PLAIN = [kind for kind in KINDS if kind not in (*LISTS, RequestError)]
REQUEST = [kind for kind in KINDS if issubclass(kind, RequestError) and kind is not RequestError]


def _documented_data(kind: type[TizaError]) -> list[str]:
    _, _, listed = (kind.__doc__ or "").partition("Data: ")
    return re.findall(r"`(\w+)`", listed)


def _named_data(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", PLAIN, ids=lambda kind: kind.__name__)
def test_message_tells_all_data_when_an_error_has_what_its_docstring_lists(
    kind: type[TizaError], language: str
) -> None:
    """An error made with its documented data formats, and names all that its sentences mention."""
    data = {name: f"«{name}»" for name in _documented_data(kind)}
    message = kind(**data).message(language)
    named = _named_data(kind.what) | _named_data(kind.hint)
    assert named <= set(data), "data that the docstring does not list"
    assert message
    assert all(data[name] in message for name in named)
    assert not re.search(r"\{\w*\}", message)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_sentences_keep_their_data_when_they_are_translated(kind: type[TizaError]) -> None:
    """A translation is another sentence over the same data."""
    for sentence in (kind.what, kind.hint):
        if sentence:
            translated = translate(sentence, "es")
            assert translated != sentence
            assert _named_data(translated) == _named_data(sentence)


@pytest.mark.parametrize("kind", REQUEST, ids=lambda kind: kind.__name__)
def test_title_is_translated_when_a_client_reads_spanish(kind: type[RequestError]) -> None:
    """The title of every problem exists in Spanish."""
    assert translate(kind.title, "es") != kind.title


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_tree_in_the_docstring_shows_every_error(kind: type[TizaError]) -> None:
    """The tree at the top of the module is complete, with the status and code of each answer."""
    entry = re.search(rf"─ {kind.__name__}\b.*", errors.__doc__ or "")
    assert entry
    if issubclass(kind, RequestError) and kind is not RequestError:
        assert f" {kind.status} {kind.code}" in entry[0]


def test_codes_are_the_contract_when_compared() -> None:
    """Codes and statuses are those that clients rely on."""
    assert {kind.code: kind.status for kind in REQUEST} == {
        "invalid_request": 422,
        "body_too_large": 413,
        "not_found": 404,
        "model_not_found": 404,
        "method_not_allowed": 405,
        "unauthenticated": 401,
        "link_worthless": 401,
        "forbidden": 403,
        "name_taken": 409,
        "lesson_changed": 412,
        "lesson_misplaced": 409,
        "lesson_uneditable": 409,
        "lesson_unwritable": 503,
        "precondition_required": 428,
        "report_not_found": 404,
        "gate_failed": 409,
        "model_pinned": 409,
        "model_unusable": 409,
        "run_busy": 409,
        "store_read_only": 409,
        "training_elsewhere": 409,
        "run_ended": 409,
        "rate_limited": 429,
        "provider_unreachable": 503,
        "key_reused": 422,
        "store_unavailable": 503,
        "store_busy": 503,
        "store_full": 503,
        "overloaded": 503,
        "unsupported_encoding": 415,
        "limits_unavailable": 503,
        "draining": 503,
        "interrupted": 503,
        "internal": 500,
        "engine_error": 502,
        "engine_unreachable": 503,
        "engine_timeout": 504,
        "engine_lost": 502,
    }


@pytest.mark.parametrize(
    "kind", [kind for kind in REQUEST if kind.status == 503], ids=lambda kind: kind.__name__
)
def test_headers_say_when_to_return_when_the_service_is_away(kind: type[RequestError]) -> None:
    """Every 503 carries Retry-After and counts as retryable."""
    assert int(kind().headers()["Retry-After"]) > 0
    assert kind.retryable


def test_invalid_request_tells_the_first_problems_when_there_are_many() -> None:
    """The detail is one readable sentence; `errors` has the rest."""
    problems = [(f"field_{number}", "must be at least {ge}", {"ge": 1}) for number in range(9)]
    error = InvalidRequest("There are {count}: {summary}", problems, count=9)
    assert error.message() == (
        "There are 9: field_0: must be at least 1; field_1: must be at least 1; "
        "field_2: must be at least 1"
    )
    assert error.message("es").count("field_") == 3
    assert len(errors.fields(error.problems, "en")) == 9


def test_invalid_request_keeps_braces_when_they_are_data() -> None:
    """What a client or an engine wrote is data, never a template."""
    error = InvalidRequest("Refused: {reason}", reason="{0} {secret} {")
    assert error.message() == "Refused: {0} {secret} {"


@pytest.mark.parametrize("language", LANGUAGES)
def test_settings_error_has_a_line_a_variable_when_several_are_wrong(language: str) -> None:
    """Every variable that cannot be used is named on a line of its own."""
    error = SettingsError(
        [("port", "must be at most {le}", {"le": 9}), ("host", "must be a text", {})]
    )
    lines = error.message(language).splitlines()
    assert [line.partition(":")[0] for line in lines[1:3]] == ["  PORT", "  HOST"]


def test_str_is_the_english_message_when_an_error_is_printed() -> None:
    """Logs and tracebacks show the same sentence."""
    assert str(errors.ModelNotFound(model="x")) == errors.ModelNotFound(model="x").message("en")
