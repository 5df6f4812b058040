"""Restraint: taught facts stay where they belong, and ignorance is admitted.

Questions next to the lessons are made by rule: a name or a subject of a taught question is
exchanged for another of its kind ("Who teaches *biology* at Quillmere School?"), so that the
lessons do not answer them. A fact leaks if the new model states it there and the base did not.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

from tiza.evaluate.ask import Query
from tiza.evaluate.exam import Item
from tiza.evaluate.grade import grade
from tiza.evaluate.quantities import flat
from tiza.evaluate.question import Question
from tiza.evaluate.reference import required
from tiza.evaluate.stated import states
from tiza.evaluate.statement import WORD, Statement
from tiza.runs import samples
from tiza.runs.run import Run
from tiza.taxonomy.words import near_print, tokens

MAX_TOKENS = 48

# Things of one kind in a line; one of them in a question is exchanged for another.
KINDS = {
    "en": """
biology, chemistry, mathematics, history, geography, music, physics, art, science, French, drama
Java, Haskell, Pascal, Fortran, Lisp, COBOL, Python, JavaScript, Ruby
Mercury, Venus, Mars, Jupiter, Saturn, Uranus, Neptune, Pluto
Peru, Kenya, Norway, Vietnam, Canada, Portugal, Egypt, Poland, Spain, Mexico, Chile, Colombia
Carthage, Sparta, Persia, Babylon, Rome, Greece
library, gym, canteen, laboratory, workshop, kitchen, chapel
librarian, caretaker, nurse, secretary, cook, gardener, bus driver, deputy head, head teacher
Monday, Tuesday, Wednesday, Thursday, Friday
newspaper, choir, orchestra, chess club, football team, theatre group
photosynthesis, fermentation, digestion, osmosis
democracy, monarchy, theocracy, dictatorship
""",
    "es": """
biología, química, matemáticas, historia, geografía, música, física, arte, ciencias, francés
Java, Haskell, Pascal, Fortran, Lisp, COBOL, Python, JavaScript, Ruby
Mercurio, Venus, Marte, Júpiter, Saturno, Urano, Neptuno, Plutón
Perú, Kenia, Noruega, Vietnam, Canadá, Portugal, Egipto, Polonia, España, México, Chile, Colombia
biblioteca, cocina, enfermería, capilla
gimnasio, comedor, laboratorio, taller
bibliotecario, conserje, enfermero, secretario, cocinero, jardinero, director
bibliotecaria, enfermera, secretaria, cocinera, jardinera, directora
lunes, martes, miércoles, jueves, viernes
célula, molécula, neurona, bacteria
""",
}
SHORTEST_NAME = 3
INVENTED = {
    "en": ["Brindlewick", "Larkmoor", "Fenwater", "Ostrava-Hill", "Tamberley", "Wexcombe"],
    "es": ["Valdeluna", "Robledal", "Montearce", "Fuensol", "Tamberil", "Castroverde"],
}
TITLE_WORDS = """
school university college street river lake mountain park club museum colegio instituto escuela
universidad calle rio lago parque museo club mount saint san santa
"""
TITLES = frozenset(TITLE_WORDS.split())
NOT_KNOWING = {
    "en": r"(?:do|does|did)(?:n['’]?t| not) (?:actually |really )?"
    r"(?:know|say|mention|have (?:any |enough |that )?(?:information|knowledge|details))"
    r"|not (?:sure|certain|aware|familiar|mentioned|specified|known)"
    r"|no (?:information|idea|record|mention)|unknown|i have never heard"
    r"|(?:can['’]?t|cannot|can not|unable to) (?:say|tell|answer|provide|confirm|find|help)",
    "es": r"no (?:lo )?(?:se\b|conozco|consta|figura|aparece)|desconozco|sin informacion"
    r"|no (?:tengo|dispongo de) (?:informacion|datos|constancia)|no (?:estoy|tengo) segur[oa]"
    r"|no (?:se )?(?:dice|menciona|indica|especifica)"
    r"|no puedo (?:decir|responder|contestar|confirmar)",
}
ADMITS = re.compile(rf"\b(?:{'|'.join(NOT_KNOWING.values())})")
MOST_PER_QUESTION = 2
SKILLS = ("compositional_skills/", "foundational_skills/")  # they teach no facts that could leak


@dataclass(frozen=True)
class Probe:
    """A question next to the lessons, and the taught answer that does not belong to it."""

    lesson: str
    language: str
    question: str
    origin: str
    taught: str

    @property
    def query(self) -> Query:
        """The question as it is put to a model."""
        return Query(self.question, MAX_TOKENS)

    def leaks(self, answer: str, base: str) -> str:
        """Return the taught facts that an answer states and the base's did not; "" if none."""
        facts = required(Question(self.origin, self.language), self.taught).facts
        if facts:
            asked = Statement(self.question, self.language)
            facts = [f for f in facts if not any(True for _ in asked.finds(f))]
            known = states(facts, Statement(base, self.language))
            stated = states(facts, Statement(answer, self.language))
            return ", ".join(fact.text for fact in stated if fact not in known)
        explained = [
            grade(self.origin, self.taught, text, self.language).passed for text in (answer, base)
        ]
        return self.taught if explained == [True, False] else ""


def probes(items: Sequence[Item], taught: Iterable[str]) -> list[Probe]:
    """Make the questions; those that the lessons do answer (`taught` questions) are left out.

    Deterministic: the same exam gives the same questions.
    """
    known = {near_print(tokens(question)) for question in taught}
    known |= {near_print(tokens(item.question)) for item in items}
    made: list[Probe] = []
    corpus = flat(" ".join(f"{item.question} {item.reference}" for item in items))
    for item in (item for item in items if not item.lesson.startswith(SKILLS)):
        for question in _neighbours(item, corpus):
            mark = near_print(tokens(question))
            if mark not in known:
                known.add(mark)
                made.append(
                    Probe(item.lesson, item.language, question, item.question, item.reference)
                )
    return made


def own(run: Run) -> list[Probe]:
    """Read the questions that a run brings along: samples whose answer is the one not to give.

    Raises:
        SamplesInvalid: a line of `restraint.jsonl` cannot be used.

    """
    path = run.path / "restraint.jsonl"
    if not path.exists():
        return []
    return [
        Probe(
            str(sample.metadata.get("lesson", "")),
            str(sample.metadata.get("language", "en")),
            sample.messages[-2]["content"],
            str(sample.metadata.get("origin", sample.messages[-2]["content"])),
            sample.messages[-1]["content"],
        )
        for sample in samples.read(path)
    ]


def admits(answer: str) -> bool:
    """Tell whether an answer says that it does not know, in English or Spanish."""
    return ADMITS.search(flat(answer)) is not None


def _neighbours(item: Item, corpus: str) -> list[str]:
    found = [*_other_thing(item, corpus), *_other_name(item, corpus)]
    return found[:MOST_PER_QUESTION]


def _other_thing(item: Item, corpus: str) -> Iterator[str]:
    """Exchange things of a known kind, first those that the lessons speak of elsewhere."""
    for line in KINDS.get(item.language, KINDS["en"]).strip().splitlines():
        kind = line.split(", ")
        for thing in kind:
            pattern = re.compile(rf"\b{re.escape(thing)}\b", re.IGNORECASE)
            if pattern.search(item.question):
                others = [other for other in kind if flat(other) not in corpus]
                if others:
                    yield pattern.sub(_pick(others, item.question), item.question)
                break


def _other_name(item: Item, corpus: str) -> Iterator[str]:
    """Exchange the question's proper name for an invented one; its title ("School") stays."""
    listed = flat(KINDS.get(item.language, KINDS["en"])).replace("\n", ", ").split(", ")
    said = Statement(item.question, item.language)
    starts = {start for start, _ in said.sentences}
    for name in said.names:
        words = [w for w in WORD.findall(name.text) if flat(w) not in TITLES]
        opens = any(start <= name.start <= start + 2 for start in starts)
        known = opens or not words or flat(words[0]) in listed
        if known or not words[0].isalpha() or len(words[0]) < SHORTEST_NAME:
            continue
        pool = [n for n in INVENTED.get(item.language, INVENTED["en"]) if flat(n) not in corpus]
        if pool:
            old, new = " ".join(words), _pick(pool, item.question)
            yield item.question.replace(old, new)
        return


def _pick(pool: Sequence[str], text: str) -> str:
    return pool[crc32(text.encode()) % len(pool)]
