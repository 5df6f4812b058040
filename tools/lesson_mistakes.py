"""Twenty mistakes that teachers make in lessons, for the docs and for the tests.

Each is a valid lesson with one thing changed. Knows nothing of how they are found.
"""

from dataclasses import dataclass

FACTS = """\
version: 3
created_by: Ana
language: en
domain: The Moon
task_description: Answer in one short sentence.
seed_examples:
  - question: What is the Moon?
    answer: The Moon is the natural satellite of the Earth.
  - question: How long does the Moon take to go around the Earth?
    answer: It takes about 27 days.
  - question: Why can we see the Moon at night?
    answer: The Moon reflects the light of the Sun.
  - question: Who first walked on the Moon?
    answer: Neil Armstrong was the first person on the Moon.
  - question: Does the Moon have air?
    answer: The Moon has almost no air.
exam:
  - question: Which body circles our planet once a month?
    answer: The Moon circles the Earth.
"""

DOCUMENT = "The handbook says all of it.\n"
ATTRIBUTION = "Title of work: Handbook\nLink to work: original work\nRevision: 1\n"
HANDBOOK = """\
version: 3
created_by: Ana
domain: Our school
document_outline: The rules of our school
document:
  path: handbook.md
seed_examples:
  - context: School begins at 8:30 and ends at 14:00, and the gate opens at 8:00.
    questions_and_answers:
      - question: When does school begin?
        answer: School begins at 8:30.
      - question: When does school end?
        answer: School ends at 14:00.
      - question: When does the gate open?
        answer: The gate opens at 8:00.
  - context: The library opens on Monday and Thursday, and a loan lasts 21 days.
    questions_and_answers:
      - question: On which days does the library open?
        answer: The library opens on Monday and Thursday.
      - question: How long does a loan of the library last?
        answer: A loan lasts 21 days.
      - question: Is the library open on Monday?
        answer: Yes, the library opens on Monday.
  - context: Lunch costs 3 euros and is served at noon in the dining hall.
    questions_and_answers:
      - question: What does lunch cost?
        answer: Lunch costs 3 euros.
      - question: At what time is lunch served?
        answer: Lunch is served at noon.
      - question: Where is lunch served?
        answer: Lunch is served in the dining hall.
  - context: The choir was founded in 1998 and sings every Friday in the hall.
    questions_and_answers:
      - question: In which year was the choir founded?
        answer: The choir was founded in 1998.
      - question: On which day does the choir sing?
        answer: The choir sings every Friday.
      - question: In which room does the choir sing?
        answer: The choir sings in the hall.
  - context: Bicycles stand behind the gym, and helmets are stored in the lockers.
    questions_and_answers:
      - question: Where do bicycles stand?
        answer: Bicycles stand behind the gym.
      - question: Where are helmets stored?
        answer: Helmets are stored in the lockers.
      - question: What is stored in the lockers?
        answer: Helmets are stored in the lockers.
"""


@dataclass(frozen=True)
class Mistake:
    """`before` in a valid lesson becomes `after`, and `rule` finds it."""

    rule: str
    english: str
    spanish: str
    before: str
    after: str
    lesson: str = FACTS
    name: str = "qna.yaml"
    attribution: bool = True

    @property
    def text(self) -> str:
        """The lesson with the mistake."""
        assert self.before in self.lesson, self.english  # noqa: S101  # a slip in this file
        return self.lesson.replace(self.before, self.after, 1)


MOON = "The Moon is the natural satellite of the Earth."
MISTAKES = (
    Mistake(
        "wrong-file-name",
        "The file has another name",
        "El archivo se llama de otra manera",
        "version: 3",
        "version: 3",
        name="qna.yml",
    ),
    Mistake(
        "tab-indentation",
        "A tab instead of spaces",
        "Un tabulador en lugar de espacios",
        f"    answer: {MOON}",
        f"\tanswer: {MOON}",
    ),
    Mistake(
        "bad-indentation",
        "A key does not stand below its neighbour",
        "Una clave no está debajo de su vecina",
        f"    answer: {MOON}",
        f"     answer: {MOON}",
    ),
    Mistake(
        "colon-in-text",
        "A colon in the text",
        "Dos puntos en el texto",
        f"answer: {MOON}",
        "answer: The Moon is this: a natural satellite.",
    ),
    Mistake(
        "no-space-after-colon",
        "No space after a colon",
        "Falta el espacio tras los dos puntos",
        f"answer: {MOON}",
        f"answer:{MOON}",
    ),
    Mistake(
        "unclosed-quote",
        "A quotation mark that is never closed",
        "Una comilla que no se cierra",
        f"answer: {MOON}",
        f'answer: "{MOON}',
    ),
    Mistake(
        "text-after-quote",
        "Text after the closing quotation mark",
        "Texto después de la comilla de cierre",
        f"answer: {MOON}",
        'answer: "Luna" is the Spanish name of the Moon.',
    ),
    Mistake(
        "reserved-character",
        "A text that begins with a special sign",
        "Un texto que empieza con un signo especial",
        f"answer: {MOON}",
        "answer: `Moon` is its name.",
    ),
    Mistake(
        "misspelt-key",
        "A slip of the pen in a key",
        "Una clave mal escrita",
        f"answer: {MOON}",
        f"answr: {MOON}",
    ),
    Mistake("missing-key", "A key is missing", "Falta una clave", "created_by: Ana\n", ""),
    Mistake(
        "duplicate-key",
        "The dash before a new example is missing",
        "Falta el guion antes de un ejemplo nuevo",
        "  - question: How long does",
        "    question: How long does",
    ),
    Mistake(
        "empty-text", "An answer is empty", "Una respuesta está vacía", f"answer: {MOON}", "answer:"
    ),
    Mistake(
        "not-text",
        "YAML reads a word as something else",
        "YAML entiende otra cosa",
        "answer: The Moon has almost no air.",
        "answer: no",
    ),
    Mistake(
        "not-a-list",
        "The dashes are missing",
        "Faltan los guiones",
        "exam:\n  - question: Which body circles our planet once a month?\n    answer:",
        "exam:\n  question: Which body circles our planet once a month?\n  answer:",
    ),
    Mistake(
        "too-few-examples",
        "Fewer than five examples",
        "Menos de cinco ejemplos",
        "  - question: Does the Moon have air?\n    answer: The Moon has almost no air.\n",
        "",
    ),
    Mistake(
        "too-few-pairs",
        "Fewer than three questions on a context",
        "Menos de tres preguntas sobre un contexto",
        "      - question: Where is lunch served?\n"
        "        answer: Lunch is served in the dining hall.\n",
        "",
        lesson=HANDBOOK,
    ),
    Mistake(
        "duplicate-question",
        "The same question twice",
        "La misma pregunta dos veces",
        "question: Does the Moon have air?",
        "question: What is the Moon?",
    ),
    Mistake(
        "exam-repeats-seed",
        "The exam asks what is taught",
        "El examen pregunta lo ya enseñado",
        "question: Which body circles our planet once a month?",
        "question: What is the Moon?",
    ),
    Mistake(
        "unsupported-answer",
        "The answer is not in the context",
        "La respuesta no está en el contexto",
        "answer: The choir was founded in 1998.",
        "answer: The choir was founded in 1989.",
        lesson=HANDBOOK,
    ),
    Mistake(
        "wrong-language",
        "The declared language is another",
        "El idioma declarado es otro",
        "language: en",
        "language: es",
    ),
    Mistake(
        "missing-attribution",
        "Nobody says where the document comes from",
        "Nadie dice de dónde sale el documento",
        "version: 3",
        "version: 3",
        lesson=HANDBOOK,
        attribution=False,
    ),
    Mistake(
        "document-outside-tree",
        "The document lies outside the taxonomy",
        "El documento está fuera de la taxonomía",
        "path: handbook.md",
        "path: ../../../../handbook.md",
        lesson=HANDBOOK,
    ),
    Mistake(
        "document-unreachable",
        "The document is not there",
        "El documento no está",
        "path: handbook.md",
        "path: handbok.md",
        lesson=HANDBOOK,
    ),
)
