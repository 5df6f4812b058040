"""Golden samples of the rewordings: each rule, and the questions on which a rule must not fire."""

import random
from pathlib import Path

import pytest

from tiza.generate.rewordings import FAMILIES, reword
from tiza.generate.rewordings.english_order import embedded
from tiza.generate.rewordings.prompt import Prompt
from tiza.generate.similar import spelling
from tiza.taxonomy.lesson import Lesson
from tiza.taxonomy.load import load

TAXONOMY = Path(__file__).parents[3] / "taxonomy"
ALL = 100

ENGLISH = [
    ("What is a list in Python?", 'What does the term "list" mean in Python?'),
    ("What is a list in Python?", "Explain what a list is in Python."),
    ("What is a list in Python?", "In Python, what is a list?"),
    ("What is a list in Python?", "A question about Python: what is a list?"),
    ("What is a list in Python?", "whats a list in python"),  # codespell:ignore whats
    ("What is an aquifer?", "Explain what an aquifer is."),
    ("What is photosynthesis?", 'Define "photosynthesis".'),
    ("What is the capital of Peru?", "Tell me the capital of Peru."),
    ("What is the capital of Peru?", "What is Peru's capital?"),
    ("What is the highest mountain in Peru?", "Name the highest mountain in Peru."),
    ("How do you sort a list?", "Show me how to sort a list."),
    ("Who teaches physics at Oak Valley?", "Can you tell me who teaches physics at Oak Valley?"),
    ("Who teaches physics at Oak Valley?", "At Oak Valley, who teaches physics?"),
    ("When does the library open on Mondays?", "Do you know when the library opens on Mondays?"),
    ("When does the library open on Mondays?", "On Mondays, when does the library open?"),
    ("Which four moons did Galileo discover?", "Tell me which four moons Galileo discovered."),
    ("How many books may a pupil borrow?", "I want to know how many books a pupil may borrow."),
    ("When was Rome founded?", "Please tell me when Rome was founded."),
    ("What is a set good for?", "Tell me what a set is good for."),
    ("Is Pluto a planet?", "I need to know whether Pluto is a planet."),
    ("Which language do Romans speak?", "What language do Romans speak?"),
    ("Name the planets.", "Can you name the planets?"),
    ("Ana is ill. Write her e-mail.", "Ana is ill. Could you write her e-mail, please?"),
    ("Rex is a dog. What is a dog?", "Rex is a dog. Explain what a dog is."),
    (
        "Summarise this notice:\nThe canteen is closed.",
        "Please summarise this notice:\nThe canteen is closed.",
    ),
]
SPANISH = [
    ("¿Qué es una lista en Python?", "¿Qué significa «lista» en Python?"),
    ("¿Qué es una lista en Python?", "Explica qué es una lista en Python."),
    ("¿Qué es una lista en Python?", "En Python, ¿qué es una lista?"),
    ("¿Qué es una lista en Python?", "oye que es una lista en python"),
    ("¿Qué es el citoplasma?", "¿Qué se entiende por citoplasma?"),
    ("¿Cuál es la capital del Perú?", "Dime la capital del Perú."),
    ("¿Cómo se llama el gato?", "Dime el nombre del gato."),
    ("¿Qué función tiene el núcleo?", "¿Cuál es la función del núcleo?"),
    ("¿Qué diferencia hay entre = y ==?", "¿En qué se diferencian = y ==?"),
    ("¿Cómo se crea una lista?", "¿Qué hay que hacer para crear una lista?"),
    ("¿Quién da arte en el colegio Luna?", "En el colegio Luna, ¿quién da arte?"),
    ("¿Cuándo abre la biblioteca los lunes?", "Los lunes, ¿cuándo abre la biblioteca?"),
    ("¿Cuándo abre la biblioteca?", "¿Podrías decirme cuándo abre la biblioteca?"),
    ("¿Llevan tilde los monosílabos?", "Dime si llevan tilde los monosílabos."),
    ("¿Dónde está la secretaría?", "¿Dónde se encuentra la secretaría?"),
    ("¿Quién era el niño?", "oye quien era el niño"),
    ("Nombra los planetas.", "¿Puedes nombrar los planetas?"),
    (
        "Ana está enferma. Escribe su correo.",
        "Ana está enferma. ¿Podrías escribir su correo, por favor?",
    ),
]
UNSURE_ORDER = [
    "When does the study trip commence?",  # "study" or an unknown verb
    "Where does the morning walk terminate?",
    "When is the pool busy?",  # not "when the pool busy is"
    "Where is Spanish official?",
    "Why is Mars red?",
    "Who is late?",
    "What is Ana doing?",
    "Which book has Ana read?",
    "When was the new limited edition printed?",
    "Why does rain not taste salty?",
    "When did the canal open, and which oceans does it join?",
    "Where do I put my bag?",  # "where I put it" may be the past
    "What is a new pen bad for?",
    "How come?",
]
UNSURE_SHAPE = [
    ("Who lives in Peru?", "In Peru,"),
    ("What is left?", "Explain"),
    ("What is bigger?", "Explain"),
    ("What is a good way to learn?", "Explain"),
    ("What is the rule of law?", "Tell me the"),
    ("How do you spell your name?", "to spell"),
    ("How do you feel?", "how to"),
    ("Which of them is red?", "What of"),
    ("Which comes first?", "What comes"),
    ("¿Quién vive en Perú?", "En Perú,"),
    ("¿Qué es lo mejor?", "Explica"),
    ("¿Qué es un buen resumen?", "entiende"),
    ("¿Cómo se forma una nube?", "formar"),
    ("¿Cómo te llamas?", "nombre"),  # codespell:ignore te
    ("¿Ana vive en Madrid?", "si ana"),
    ("Escribe y di qué es.", "escribir"),
]


@pytest.mark.parametrize(("question", "expected"), ENGLISH)
def test_reword_offers_each_english_shape(question: str, expected: str) -> None:
    """Every rule makes the sentence that a careful writer would."""
    assert expected in offered(question, "en")


@pytest.mark.parametrize(("question", "expected"), SPANISH)
def test_reword_offers_each_spanish_shape(question: str, expected: str) -> None:
    """Every rule makes the sentence that a careful writer would."""
    assert expected in offered(question, "es")


@pytest.mark.parametrize("question", UNSURE_ORDER)
def test_embedded_is_none_where_the_order_is_unsure(question: str) -> None:
    """A question whose subject may end elsewhere is not turned into a clause."""
    assert embedded(question.removesuffix("?")) is None


@pytest.mark.parametrize(("question", "wrong"), UNSURE_SHAPE)
def test_reword_keeps_silent_where_a_shape_would_change_the_question(
    question: str, wrong: str
) -> None:
    """A rule that is not sure does not fire."""
    language = "es" if question.isascii() is False or question.startswith("Escribe") else "en"
    assert not [text for text in offered(question, language) if wrong in text]


@pytest.mark.parametrize(
    "question", ["What is == in Python?", "Who uses NASA's data?", "What is in vitamin C?"]
)
def test_reword_types_nothing_carelessly_where_letters_matter(question: str) -> None:
    """Code, initials and formulas keep their case and marks."""
    assert not [text for text in offered(question, "en") if text[0].islower()]


def test_reword_leaves_the_inside_of_a_long_text_alone() -> None:
    """A prompt that carries a text is only framed: the text stays in it, letter by letter."""
    prompt = "Is this right?\n" + "The library opens at nine. " * 20
    found = reword(prompt, "en", ALL, 0)
    assert found
    assert all(prompt.strip() in text for text in found)


@pytest.mark.parametrize("language", ["fr", "", "de-CH"])
def test_reword_of_a_language_without_rules_is_empty(language: str) -> None:
    """No rule of another language is tried."""
    assert reword("Was ist das?", language, ALL, 0) == []  # codespell:ignore ist


@pytest.mark.parametrize(
    "question", ["", " ", "?", "¿?", ".", "\n", "¿Qué?", "Why?", "«", "a?b?c?"]
)
def test_reword_survives_odd_prompts(question: str) -> None:
    """Whatever is asked, there is a list."""
    assert isinstance(reword(question, "en", ALL, 0) + reword(question, "es", ALL, 0), list)


def test_reword_gives_the_same_for_the_same_seed_and_other_for_another() -> None:
    """The seed alone decides which frames are used."""
    question = "Who teaches physics at Oak Valley?"
    assert reword(question, "en", 5, 1) == reword(question, "en-GB", 5, 1)
    assert len({tuple(reword(question, "en", 5, seed)) for seed in range(20)}) > 1


def test_reword_takes_the_most_different_first() -> None:
    """The limit cuts the end of the list."""
    question = "What is a list in Python?"
    every = reword(question, "en", ALL, 0)
    assert [reword(question, "en", limit, 0) for limit in (0, 1, 3)] == [[], every[:1], every[:3]]


def test_reword_of_the_starter_lessons_is_distinct_and_enough() -> None:
    """Three phrasings a pair and more, no two the same, and in good form."""
    pairs = phrasings = 0
    for lesson in lessons():
        for example in lesson.examples:
            texts = {spelling(text) for text in (example.question, *example.paraphrases)}
            for question in (example.question, *example.paraphrases):
                found = reword(question, lesson.language or "en", 3, 0)
                words = [spelling(text) for text in found]
                assert len({*words, spelling(question)}) == len(found) + 1
                assert all(open_marks(text) in {0, open_marks(question)} for text in found)
                assert not [text for text in found if "  " in text or text != text.strip()]
                texts |= set(words)
            pairs, phrasings = pairs + 1, phrasings + len(texts)
    assert phrasings / pairs >= 6


def test_rules_survive_shuffled_words() -> None:
    """Broken grammar never breaks a rule; it makes it silent or lets it frame."""
    chance = random.Random(7)  # noqa: S311  # a fixed variety
    questions = [e.question for lesson in lessons() for e in lesson.examples][:150]
    words = [word for question in questions for word in question.split()]
    for _ in range(300):
        mixed = Prompt.of(" ".join(chance.choices(words, k=chance.randint(1, 9))) + "?")
        for families in FAMILIES.values():
            assert all(isinstance(family(mixed), list) for family in families)


def open_marks(text: str) -> int:
    """Return how many question marks of a Spanish text are not closed."""
    return abs(text.count("¿") - text.count("?")) if "¿" in text else 0


def offered(question: str, language: str) -> list[str]:
    """Return what all rules of a language make of a question."""
    return [text for family in FAMILIES[language] for text in family(Prompt.of(question))]


def lessons() -> list[Lesson]:
    """Return the lessons that come with Tiza."""
    return list(load([TAXONOMY], TAXONOMY))
