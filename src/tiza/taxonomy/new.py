"""A new lesson: where it goes, and a commented file to fill in. Never overwrites anything."""

import re
from dataclasses import dataclass
from pathlib import Path

from tiza.errors import LessonExists, LessonUnplaced
from tiza.taxonomy.dewey import CLASSES, NUMBER, subject_folder
from tiza.taxonomy.find import LESSON
from tiza.taxonomy.lesson import Kind
from tiza.taxonomy.parse import FEWEST_EXAMPLES, FEWEST_PAIRS, LANGUAGE_TAG
from tiza.taxonomy.source import ATTRIBUTION
from tiza.taxonomy.words import plain
from tiza.translation import N_, translate

FOLDER = re.compile(r"[a-z0-9_]+(?:/[a-z0-9_]+)*")
FIRST_LANGUAGE = "en"  # lessons in another one lie in a folder of its name, beside the English one

NOTES = N_("Lines that begin with # are notes for you: keep or delete them.")
COLON = N_("A text with a colon goes in quotes, or on lines of its own after >- and indented.")
CHECK = N_("When it is filled in, run: tiza taxonomy check {path}")
DOMAIN = N_("The subject, in a few words, as the title of a chapter.")
TASK_KNOWLEDGE = N_("What the answers should be like: for whom, how long, in which tone.")
TASK_SKILL = N_("What the model should be able to do, exactly and in full sentences.")
OUTLINE = N_("What the document is about, in one or two sentences.")
DOCUMENT = N_("The whole text, as a Markdown file beside this one.")
EXAMPLES = N_("At least {least} different questions, each with a short and complete answer.")
CONTEXTS = N_(
    "At least {least} passages of the document, each with at "
    "least {pairs} questions that the passage answers."
)
GROUNDED = N_("At least {least} texts, each with a question and the answer that the text gives.")
PARAPHRASES = N_("Other ways to ask the same, as many as you like; or delete these two lines.")
EXAM = N_("Questions for the exam, asked in other words than above; they are never taught.")


@dataclass(frozen=True)
class NewLesson:
    """What a person wants. `subject` is a folder or a Dewey number; `grounded`: with contexts."""

    kind: Kind
    subject: str
    name: str
    language: str
    created_by: str
    grounded: bool = False


def place(lesson: NewLesson, taxonomy: Path) -> Path:
    """Return the path of the file.

    Raises:
        LessonUnplaced: the subject, the name or the language cannot be used.

    """
    subject = lesson.subject.strip().strip("/")
    if NUMBER.fullmatch(subject):
        subject = subject_folder(subject, taxonomy, lesson.kind)
    subject = subject.removeprefix(f"{lesson.kind}/")
    leaf = f"{subject}/{folder_name(lesson.name)}"
    if not FOLDER.fullmatch(leaf):
        raise LessonUnplaced(name=leaf, known=", ".join(CLASSES.values()))
    if not LANGUAGE_TAG.fullmatch(lesson.language):
        raise LessonUnplaced(name=lesson.language, known=", ".join(CLASSES.values()))
    folder = taxonomy / lesson.kind / leaf
    if lesson.language != FIRST_LANGUAGE:
        folder /= lesson.language
    return folder / LESSON


def folder_name(title: str) -> str:
    """Return a title as the name of a folder: small letters without accents, _ between words."""
    return re.sub(r"[\W_]+", "_", plain(title.casefold())).strip("_")


def create(lesson: NewLesson, taxonomy: Path, reader: str) -> Path:
    """Write the file, with notes in the reader's language, and return its path.

    Raises:
        LessonExists: there is one already.
        LessonUnplaced: see `place`.

    """
    path = place(lesson, taxonomy)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(template(lesson, path, reader))
        if lesson.kind is Kind.KNOWLEDGE and lesson.grounded:
            _write_attribution(path.with_name(ATTRIBUTION), lesson.created_by)
    except (FileExistsError, NotADirectoryError) as exc:
        raise LessonExists(path=path) from exc
    return path


def _write_attribution(path: Path, author: str) -> None:
    if not path.exists():
        path.write_text(
            "Title of work: \nLink to work: original work\nRevision: 1\n"
            f"License of the work: \nCreator names: {author}\n",
            "utf-8",
        )


def template(lesson: NewLesson, path: Path, reader: str) -> str:
    """Return the text of the file: every key in its place, with a note before it."""

    def note(sentence: str, **data: object) -> str:
        return f"# {translate(sentence, reader).format(**data)}"

    knowledge = lesson.kind is Kind.KNOWLEDGE
    head = [note(NOTES), note(COLON), note(CHECK, path=path), ""]
    head += ["version: 3", f"created_by: {_quoted(lesson.created_by)}"]
    head += [f"language: {lesson.language}", ""]
    if knowledge:
        head += [note(DOMAIN), "domain:", ""]
    if knowledge and lesson.grounded:
        head += [note(OUTLINE), "document_outline:", ""]
        head += [note(DOCUMENT), "document:", f"  path: {path.parent.name}.md", ""]
        examples = [note(CONTEXTS, least=FEWEST_EXAMPLES, pairs=FEWEST_PAIRS), "seed_examples:"]
        examples += _context() * FEWEST_EXAMPLES
    else:
        head += [note(TASK_KNOWLEDGE if knowledge else TASK_SKILL), "task_description:", ""]
        about = GROUNDED if lesson.grounded else EXAMPLES
        examples = [note(about, least=FEWEST_EXAMPLES), "seed_examples:"]
        pair = _grounded_pair() if lesson.grounded else _pair("  ")
        examples += [*pair, f"    {note(PARAPHRASES)}", *_paraphrases()]
        examples += pair * (FEWEST_EXAMPLES - 1)
    exam_pair = _grounded_pair() if lesson.grounded and not knowledge else _pair("  ")
    exam = ["", note(EXAM), "exam:", *exam_pair]
    return "\n".join([*head, *examples, *exam]) + "\n"


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z][\w -]*\w", text) else '"' + _escaped(text) + '"'


def _escaped(text: str) -> str:
    return "".join(c for c in text if c.isprintable()).replace("\\", "\\\\").replace('"', '\\"')


def _pair(indent: str) -> list[str]:
    return [f"{indent}- question:", f"{indent}  answer:"]


def _grounded_pair() -> list[str]:
    return ["  - context:", "    question:", "    answer:"]


def _paraphrases() -> list[str]:
    return ["    paraphrases:", "      -"]


def _context() -> list[str]:
    return ["  - context:", "    questions_and_answers:", *(_pair("      ") * FEWEST_PAIRS)]
