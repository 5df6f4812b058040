"""When two questions are the same."""

import dataclasses
from typing import Any

import pytest

from tiza.api.sharing.question import key_of, normalised
from tiza.engines.serving import Serving

SERVING = Serving(1, "http://127.0.0.1:8080")
BODY: dict[str, Any] = {
    "model": "samples_0",
    "messages": [
        {"role": "system", "content": "Be brief. Answer in English."},
        {"role": "user", "content": "What is chalk?"},
    ],
    "max_tokens": 500,
    "temperature": 0.7,
    "stream": True,
}


def asking(content: str) -> dict[str, Any]:
    """Return the body with another question."""
    return BODY | {"messages": [BODY["messages"][0], {"role": "user", "content": content}]}


def key(body: dict[str, Any], serving: Serving = SERVING, path: str = "/v1/chat") -> bytes:
    """Return the key of a body."""
    return key_of(serving, path, body)


@pytest.mark.parametrize(
    "same",
    [
        "  What is chalk?\n",
        "What  is\tchalk?",
        "What is\u00a0chalk?",
        "What is chalk? \r\n",
    ],
)
def test_question_is_the_same_when_only_blanks_differ(same: str) -> None:
    """How it was typed does not matter."""
    assert key(asking(same)) == key(BODY)


def test_question_is_the_same_when_accents_are_composed_otherwise() -> None:
    """Phones and keyboards write ó in two ways."""
    assert key(asking("¿Qué es la construcción?")) == key(
        asking("¿Que\u0301 es la construccio\u0301n?")
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is Polish?", "What is polish?"),
        ("Is it so?", "It is so?"),
        ("What is 1.5?", "What is 15?"),
        ("What is chalk?", "What is chalk"),
        ("if x:\n    y()", "if x:\ny()"),
        ("a\nb", "a b"),
        ("What is año?", "What is ano?"),
    ],
)
def test_question_is_another_when_its_meaning_may_be(one: str, other: str) -> None:
    """Case, signs, accents, lines and what indents them stay."""
    assert key(asking(one)) != key(asking(other))


@pytest.mark.parametrize(
    "change",
    [
        {"model": "samples_1"},
        {"lora": [{"id": 0, "scale": 1.0}]},
        {"max_tokens": 501},
        {"temperature": 0.8},
        {"seed": 1},
        {"stop": ["x"]},
        {"messages": BODY["messages"][1:]},
        {"messages": [{"role": "system", "content": "Sé breve."}, BODY["messages"][1]]},
        {"a field of tomorrow": 1},
    ],
    ids=str,
)
def test_question_is_another_when_anything_else_differs(change: dict[str, Any]) -> None:
    """Whatever the engine is told belongs to the question."""
    assert key(BODY | change) != key(BODY)


def test_question_is_another_when_another_engine_is_asked() -> None:
    """An answer belongs to the engine that gave it, also where the model has the same name."""
    keys = {
        key(BODY),
        key(BODY, dataclasses.replace(SERVING, number=2)),
        key(BODY, dataclasses.replace(SERVING, url="http://127.0.0.1:8081")),
        key(BODY, path="/v1/completions"),
    }
    assert len(keys) == 4


def test_key_does_not_depend_on_the_order_of_fields() -> None:
    """Two ways of writing the same body are one."""
    assert key(dict(reversed(BODY.items()))) == key(BODY)


def test_text_is_returned_when_nothing_is_to_be_normalised() -> None:
    """What indents stays to the blank."""
    code = "def f(x):\n    return x\n\n\tand more"
    assert normalised(code) == code
