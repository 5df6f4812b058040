"""Structural checks: what is wrong with a pair can often be told without asking anybody.

Each refusal has a reason, a template for the preview. English and Spanish only where words matter;
a check that the lesson's own pairs would not pass is not made. Knows no teacher.
"""

import re
from collections.abc import Mapping

from tiza.generate.candidate import Candidate
from tiza.generate.injection import forbidden, gives_orders, stems
from tiza.generate.step import Step
from tiza.taxonomy.finding import shown
from tiza.taxonomy.lesson import Lesson
from tiza.taxonomy.words import ENGLISH, SPANISH, likely_language, plain, tokens
from tiza.translation import N_

Flaw = tuple[str, Mapping[str, object]]

LONG_QUESTION = N_("the question has {count} characters, the most are {most}")
LONG_ANSWER = N_("the answer has {count} characters, the most are {most}")
REFUSAL = N_("the teacher refuses, or speaks of itself")
SOURCE = N_("speaks of a text that the student does not see: “{words}”")
LANGUAGE = N_("is not in the lesson's language ({language})")
ORDER = N_("contains or obeys an order that stands in the material: “{words}”")
UNRELATED = N_("the question has nothing to do with the source")
UNSUPPORTED = N_("the source lacks what the answer says: {words}")

SHOWN_WORDS = 3
FEWEST_WORDS, FEWEST_FREQUENT = 20, 0.05  # a text of 20 words has one of its language's commonest
FOREIGN_LETTERS = 0.2  # of all characters
BEYOND_LATIN = re.compile(r"[^\W\d_\u0000-\u024f]")
LONG_NUMBER = 3  # digits: years and quantities, not counts that a reader works out
YES_AND_NO = frozenset(("yes", "no", "si", "true", "false", "verda", "falso", "not"))
CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
REFUSALS = re.compile(
    r"\bas an? (?:ai|artificial intelligence|(?:large )?language model)\b"
    r"|\b(?:i cannot|i can't|i can’t|i am unable to|i'm unable to|i won't|i’m not able to)"  # noqa: RUF001  # the typographic apostrophe is meant
    r" (?:assist|help|fulfil|fulfill|comply|provide|answer|do that|write)"
    r"|\bcomo (?:una? )?(?:ia|inteligencia artificial|modelo de lenguaje|asistente de ia)\b"
    r"|\bno puedo (?:ayudar|responder|cumplir|proporcionar|hacer eso|escribir)"
)
REFUSED_WITHIN = 300  # characters: a refusal comes first
SOURCES_EN = r"(?:passage|document|context|text|article|excerpt|material|paragraph)"
SOURCES_ES = r"(?:pasaje|documento|contexto|texto|articulo|fragmento|extracto|material|parrafo)"
SOURCE_TALK = re.compile(
    rf"\b(?:according to|based on|as (?:stated|described|mentioned|said) in|mentioned in|given in"
    rf"|described in|stated in|from) (?:the|this) (?:\w+ )?{SOURCES_EN}\b"
    rf"|\b(?:the|this) {SOURCES_EN} (?:above|below|provided|given|says|states|mentions|describes"
    rf"|does not|doesn't|tells)\b"
    rf"|\bthe (?:given|provided|above|following) {SOURCES_EN}\b"
    rf"|\bin (?:the|this) (?:passage|excerpt|above text)\b"
    rf"|\b(?:segun|de acuerdo con|basandose en|mencionad\w+ en|descrit\w+ en|como (?:dice|indica))"
    rf" (?:el|este) (?:\w+ )?{SOURCES_ES}\b"
    rf"|\b(?:el|este) {SOURCES_ES} (?:anterior|dado|proporcionado|dice|afirma|menciona|describe"
    rf"|indica|no dice|no menciona)\b"
    rf"|\ben (?:el|este) (?:pasaje|fragmento|extracto)\b"
)


class Checks:
    """The checks for one lesson: what its own pairs look like is never held against another."""

    def __init__(self, lesson: Lesson, language: str) -> None:
        self._language = language
        self._own = [f"{each.question}\n{each.answer}" for each in lesson.examples]
        self._about = stems(f"{lesson.domain or ''} {lesson.document_outline or ''}")
        own = [plain(text.casefold()) for text in self._own]
        self._may_refuse = any(REFUSALS.search(text) for text in own)
        self._may_name_source = any(SOURCE_TALK.search(text) for text in own)
        self._may_order = not lesson.is_knowledge or any(gives_orders(text) for text in self._own)
        parts = (part for each in lesson.examples for part in (each.question, each.answer))
        self._mixed = any(self._is_foreign(part) for part in parts)
        self._known: dict[str, tuple[frozenset[str], frozenset[str]]] = {}

    def flaw(self, candidate: Candidate, step: Step) -> Flaw | None:
        """Return why a candidate is refused, or None. Parts that are still missing are passed."""
        return (
            self._length(candidate, step)
            or self._talk(candidate)
            or self._foreign(candidate)
            or self._obedience(candidate)
            or self._support(candidate, step)
        )

    def _length(self, candidate: Candidate, step: Step) -> Flaw | None:
        for text, most, reason in (
            (candidate.question, step.question_characters, LONG_QUESTION),
            (candidate.answer, step.answer_characters, LONG_ANSWER),
        ):
            if len(text) > most:
                return reason, {"count": len(text), "most": most}
        return None

    def _talk(self, candidate: Candidate) -> Flaw | None:
        begin = plain(candidate.answer[:REFUSED_WITHIN].casefold())
        if not self._may_refuse and REFUSALS.search(begin):
            return REFUSAL, {}
        if candidate.passage is None or self._may_name_source:
            return None
        said = plain(f"{candidate.question}\n{candidate.answer}".casefold())
        found = SOURCE_TALK.search(said)
        return (SOURCE, {"words": found[0]}) if found else None

    def _foreign(self, candidate: Candidate) -> Flaw | None:
        made = candidate.context if candidate.passage is None else None
        parts = (made or "", candidate.question, candidate.answer)
        if self._mixed or not any(self._is_foreign(part) for part in (*parts, "\n".join(parts))):
            return None
        return LANGUAGE, {"language": self._language}

    def _is_foreign(self, text: str) -> bool:
        """Tell by letters and frequent words; silent about short texts and other languages."""
        text = CODE.sub(" ", text) if "`" in text else text
        frequent = {"en": ENGLISH, "es": SPANISH}.get(self._language)
        if frequent is None:
            return likely_language(text) is not None
        if not text.isascii() and len(BEYOND_LATIN.findall(text)) > FOREIGN_LETTERS * len(text):
            return True
        if likely_language(text) not in (None, self._language):
            return True
        words = tokens(text)
        few = FEWEST_FREQUENT * len(words)
        return len(words) >= FEWEST_WORDS and sum(word in frequent for word in words) < few

    def _obedience(self, candidate: Candidate) -> Flaw | None:
        said = f"{candidate.question}\n{candidate.answer}"
        if not self._may_order and gives_orders(said):
            return ORDER, {"words": shown(candidate.question)}
        _, orders = self._of(candidate.passage or "")
        obeyed = sorted(orders & stems(said))
        return (ORDER, {"words": ", ".join(obeyed[:SHOWN_WORDS])}) if obeyed else None

    def _support(self, candidate: Candidate, step: Step) -> Flaw | None:
        """Compare the words with those of the passage; only knowledge has one."""
        if candidate.passage is None or step.unsupported is None:
            return None
        known, _ = self._of(candidate.passage)
        if not stems(candidate.question) & known:
            return UNRELATED, {}
        said = stems(candidate.answer) - YES_AND_NO
        missing = sorted(said - known)
        numbers = [word for word in missing if word.isdigit() and len(word) >= LONG_NUMBER]
        if numbers or len(missing) > step.unsupported * len(said):
            return UNSUPPORTED, {"words": ", ".join((numbers or missing)[:SHOWN_WORDS])}
        return None

    def _of(self, passage: str) -> tuple[frozenset[str], frozenset[str]]:
        """Return the words that a passage supports, and those that only its orders have."""
        if passage not in self._known:
            orders = forbidden(passage, self._own)
            self._known[passage] = ((stems(passage) | self._about) - orders, orders)
        return self._known[passage]
