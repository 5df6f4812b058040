"""Reading what a teacher wrote: much is forgiven, the rest is named, nothing takes long."""

import time
from collections.abc import Callable

import pytest

from tiza.generate import answers
from tiza.generate.answers import Pair, Unreadable

TWO = [Pair("What is a?", "A is one."), Pair("What is b?", "B is two.")]
OBJECTS = (
    '{"question": "What is a?", "answer": "A is one."}, '
    '{"question": "What is b?", "answer": "B is two."}'
)
FORMS = {
    "as asked": f'{{"pairs": [{OBJECTS}]}}',
    "in a code fence": f'```json\n{{"pairs": [{OBJECTS}]}}\n```',
    "with text around it": f'Sure! Here they are:\n{{"pairs": [{OBJECTS}]}}\nShall I go on?',
    "as a list": f"[{OBJECTS}]",
    "as several objects": OBJECTS.replace("}, {", "}\n{"),
    "with trailing commas": '{"pairs": [' + OBJECTS.replace('"}', '",}') + ",],}",
    "cut off in the third pair": f'{{"pairs": [{OBJECTS}, {{"question": "What is',
    "with braces before it": f'{{as you wish}} {{"pairs": [{OBJECTS}]}}',
    "with Spanish keys": OBJECTS.replace("question", "Pregunta").replace("answer", "Respuesta"),
    "as lines": "Question: What is a?\nAnswer: A is one.\nQuestion: What is b?\nAnswer: B is two.",
    "as numbered bold lines": (
        "1. **Question:** What is a?\n   **Answer:** A is one.\n"
        "2. **Question:** What is b?\n   **Answer:** B is two."
    ),
    "as Spanish lines": (
        "Pregunta 1: What is a?\nRespuesta: A is one.\nPregunta 2: What is b?\nRespuesta: B is two."
    ),
    "as short marks": "Q: What is a?\nA: A is one.\nQ: What is b?\nA: B is two.",
}


@pytest.mark.parametrize("form", FORMS)
def test_pairs_are_read_when_they_are_written(form: str) -> None:
    """Endpoints without JSON mode write pairs in many ways, and each is read."""
    assert answers.pairs(FORMS[form]) == TWO


def test_pairs_keep_their_text_when_it_looks_like_json_or_like_a_list() -> None:
    """Code in an answer stays as it was: its commas, braces, line ends and small letters."""
    said = "Write:\na) [1, 2,]\n{'a': 1,}"
    reply = '{"pairs": [{"question": "How?", "answer": "Write:\\na) [1, 2,]\\n{\'a\': 1,}"},]}'
    assert answers.pairs(reply) == [Pair("How?", said)]
    assert answers.pairs(f"Question: How?\nAnswer: {said}") == [Pair("How?", said)]


def test_pairs_have_an_empty_half_when_one_is_missing() -> None:
    """A question without an answer is seen, so that it can be refused by its name."""
    reply = '{"pairs": [{"question": "Why?"}, {"answer": "So."}, {"question": "A?", "answer": 4}]}'
    assert answers.pairs(reply) == [Pair("Why?", ""), Pair("", "So."), Pair("A?", "4")]
    assert answers.pairs("Question: Why?\nQuestion: How?\nAnswer: So.") == [
        Pair("Why?", ""),
        Pair("How?", "So."),
    ]


def test_half_characters_are_left_out_when_an_escape_makes_them() -> None:
    """What is read can be written to a file: an emoji cut in two, or a zero, cannot."""
    assert answers.pairs('{"question": "Why\\ud83d?", "answer": "So.\\u0000"}') == [("Why?", "So.")]
    assert answers.texts('["Why\\udc00?"]', "questions") == ["Why?"]
    assert answers.text("So\x00.") == "So."


@pytest.mark.parametrize(
    "reply",
    [
        '{"questions": ["How long?", "How wide?"]}',
        '["How long?", "How wide?"]',
        'Here:\n```\n{"preguntas": ["How long?", "How wide?",]}\n```',
        '{"questions": [{"question": "How long?"}, {"question": "How wide?"}]}',
        "1. How long?\n2. How wide?",
        "- How long?\n- How wide?",
        "Question: How long?\nQuestion: How wide?",
    ],
)
def test_questions_are_read_when_they_are_written(reply: str) -> None:
    """A list of questions has many forms too."""
    assert answers.texts(reply, "questions") == ["How long?", "How wide?"]


def test_contexts_are_read_from_their_key_alone() -> None:
    """A text that is no list of contexts is none: prose is not taken for one."""
    assert answers.texts('{"contexts": ["Ada has it.", " "]}', "contexts") == ["Ada has it."]
    with pytest.raises(Unreadable, match="form"):
        answers.texts("1. Ada has it.", "contexts")


@pytest.mark.parametrize(
    "reply",
    [
        "It is 4.",
        " It is 4.\n",
        "```\nIt is 4.\n```",
        '{"answer": "It is 4."}',
        "Answer: It is 4.",
        "**Respuesta:** It is 4.",
    ],
)
def test_text_is_the_answer_without_what_surrounds_it(reply: str) -> None:
    """A solution is a text by itself."""
    assert answers.text(reply) == "It is 4."


@pytest.mark.parametrize(
    "reply",
    [
        '{"reason": "It says so.", "score": 2}',
        '{"reason": "It says so.", "score": "2"}',
        'Well:\n```json\n{"Reason": "It says so.", "Score": 2.0,}\n```',
        '{"razón": "It says so.", "puntuación": 2}',
    ],
)
def test_verdict_is_read_with_its_reason(reply: str) -> None:
    """A judge's reason and score are taken from an object."""
    assert answers.verdict(reply, 0, 2) == ("It says so.", 2)


@pytest.mark.parametrize("reply", ["It is so.\nScore: 1", "Así es. **Puntuación:** 1"])
def test_verdict_is_read_from_a_line_when_there_is_no_object(reply: str) -> None:
    """A judge that writes prose still gives a score."""
    assert answers.verdict(reply, 0, 2).score == 1


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", answers.EMPTY),
        (" \n ", answers.EMPTY),
        ("Yes, it is.", answers.NO_SCORE),
        ('{"reason": "So.", "score": 3}', answers.NO_SCORE),
        ('{"reason": "So.", "score": true}', answers.NO_SCORE),
        ('{"reason": "So.", "score": "NaN"}', answers.NO_SCORE),
        ('{"reason": "So."}', answers.NO_SCORE),
        ('{"score": 2} or rather {"score": 0}', answers.TWO_SCORES),
        ("Score: 2\nScore: 0", answers.TWO_SCORES),
    ],
)
def test_verdict_is_refused_when_it_is_none(reply: str, reason: str) -> None:
    """A judge that cannot be understood has not accepted anything."""
    with pytest.raises(Unreadable) as caught:
        answers.verdict(reply, 0, 2)
    assert caught.value.reason == reason
    assert caught.value.reason.format(**caught.value.data)


READERS: dict[str, Callable[[str], object]] = {
    "pairs": answers.pairs,
    "questions": lambda reply: answers.texts(reply, "questions"),
    "text": answers.text,
    "verdict": lambda reply: answers.verdict(reply, 0, 2),
}
NASTY = (
    "{",
    "[",
    '"',
    '\\"',
    '{"a":',
    '{"a":[',
    ",",
    ", ",
    " ,\n",
    "*",
    "1. ",
    "\n",
    "Question: ",
    "Question: a\n",
    "```\n",
    "score",
    "score:",
    "{}",
    '{"score":1}',
    "x",
    "é",
)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("piece", NASTY)
def test_reading_ends_soon_when_a_reply_is_100_kb_of_anything(reader: str, piece: str) -> None:
    """Time is bounded, whatever is repeated; longer than allowed is refused by its name."""
    for size in (answers.LONGEST_REPLY - 1, 100_000):
        reply = (piece * size)[:size]
        began = time.process_time()
        reason = _reason(READERS[reader], reply)
        assert time.process_time() - began < 2
        assert (reason == answers.TOO_LONG) is (size > answers.LONGEST_REPLY)


def _reason(read: Callable[[str], object], reply: str) -> str | None:
    try:
        read(reply)
    except Unreadable as exc:
        return exc.reason
    return None
