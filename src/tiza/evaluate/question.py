"""What a question asks for: an amount, a name, a place, one of two things, or an explanation.

English and Spanish, by the question's own words. Knows no answer.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from tiza.evaluate.statement import WORD, Statement, stem, telling

AMOUNT = re.compile(r"\b(?:how (?:many|much)|cuant[oa]s?)\b(?: of)?(?P<noun>(?: \w+){0,3})")
KINDS = {
    "why": r"why|how come|por que|a que se debe|what for|(?:purpose|reason) (?:of|for)"
    r"|para que (?:sirve|es)",
    "when": r"when|(?:what|which) (?:year|day|date|month|century|time)|cuando"
    r"|(?:que|cual) (?:ano|dia|fecha|mes|siglo|hora)",
    "amount": r"how (?:many|much|long|far|old|tall|high|wide|deep|heavy|big|fast|often)"
    r"|cuant[oa]s?|(?:what|which) (?:number|percentage|share)"
    r"|que (?:numero|edad|distancia|porcentaje)"
    r"|(?:\d+|half|double|root|sum) (?:plus|minus|times|divided|squared|of)"
    r"|\d+ (?:mas|menos|por|dividido)|(?:mitad|doble|raiz cuadrada) de",
    "who": r"who|whom|whose|quien|quienes",
    "where": r"where|(?:in|on) (?:which|what) (?:country|city|continent|town|place|room|street)"
    r"|donde|en que (?:pais|ciudad|continente|lugar|sala|calle)",
    "which": r"which|called|name|tell me the|what (?:do|does) (?:you|we|one|people) (?:call|use)"
    r"|do i call"
    r"|what (?!is|are|does|do|did|was|were|happens|can|should|must|would|will|has|have)\w+"
    r"|cual|cuales|se llaman?|nombra|nombre|dime (?:el|la)|como se dice"
    r"|que (?!es|son|significa|hace|hacen|hay|ocurre|pasa|se|te|era|fue)\w+ \w+",
}
PATTERNS = {kind: re.compile(rf"\b(?:{words})\b") for kind, words in KINDS.items()}
WHO_IS = re.compile(r"\b(?:who|quien) (?:is|was|es|fue|era) ")
ASKING = re.compile(r"[^.!?]*\?")
SEVERAL = re.compile(
    r"\b(?:and|y) (?:by |hasta |de |en |a )?"
    r"(?:how|who|where|when|what|which|como|quien(?:es)?|donde|cuando|cuant[oa]s?|cual(?:es)?|que)\b"
)
YES_OR_NO = re.compile(
    r"^\W*(?:is|are|was|were|do|does|did|can|could|has|have|will|es|son|hay|puede|tiene|se puede)\b"
)
CHOICE = re.compile(r"(?:^|[,:?] ?|\b(?:the|a|an|el|la|un|una|is|es) )([\w ]{1,25}),? (?:or|o|u) "
                    r"(?:the |an? |el |la |un |una )?([\w ]{1,25})\?")  # fmt: skip


@dataclass(frozen=True)
class Question:
    """A question, read."""

    text: str
    language: str = "en"

    @cached_property
    def said(self) -> Statement:
        """Its words."""
        return Statement(self.text, self.language)

    @cached_property
    def kind(self) -> str:
        """What it asks for: a key of KINDS, `several` of them, or `open`: an explanation."""
        who = WHO_IS.search(self.said.flat)
        if who and any(name.start == who.end() for name in self.said.names):
            return "open"
        asking = ASKING.findall(self.said.flat)
        text = asking[-1] if asking else self.said.flat
        if SEVERAL.search(text):
            return "several"
        found = {kind: match.start() for kind, p in PATTERNS.items() if (match := p.search(text))}
        return min(found, key=found.__getitem__) if found else "open"

    @cached_property
    def counted(self) -> frozenset[str]:
        """The stems of what is counted: {pupil} in "How many pupils are there?"."""
        found = AMOUNT.search(self.said.flat)
        words = WORD.findall(found["noun"]) if found else []
        kept = []
        for word in words:
            if word in ("are", "is", "does", "do", "has", "have", "hay", "tiene", "son", "there"):
                break
            kept.append(stem(word))
        return frozenset(kept)

    @cached_property
    def stems(self) -> frozenset[str]:
        """The stems of its words."""
        return self.said.stems

    @cached_property
    def subject(self) -> frozenset[str]:
        """The stems of its telling words."""
        return frozenset(word.stem for word in telling(self.said.words))

    @cached_property
    def choices(self) -> tuple[str, ...]:
        """The two things of a question that offers them: ("fish", "mammal")."""
        found = CHOICE.search(self.said.flat)
        return tuple(each.strip().split(" ")[-1] for each in found.groups()) if found else ()

    @property
    def is_yes_or_no(self) -> bool:
        """Whether yes or no answers it."""
        return not self.choices and YES_OR_NO.match(self.said.flat) is not None
