"""The judge-free grade of an answer: right or wrong, and the reason.

An answer is right if it states the facts that are asked for, about what is asked, without denying
them or offering others beside them. Compared without case, accents, inflection and ways of writing
numbers; English and Spanish. Knows no model and no judge.
"""

import re
from collections import Counter
from collections.abc import Sequence

from tiza.evaluate.quantities import flat, quantities
from tiza.evaluate.question import Question
from tiza.evaluate.reference import Required, required
from tiza.evaluate.stated import LACKS, OTHER, Verdict, grade_facts
from tiza.evaluate.statement import NEGATIONS, WORD, Fact, Statement, Word, stem, telling
from tiza.translation import N_

EMPTY = N_("there is no answer")
ECHOES = N_("only repeats the question")
OPPOSITE = N_("says the opposite about {words}")
CLOSE = N_("says what the reference says ({share} of its words)")
FAR = N_("says too little of the reference ({share} of its words)")

ENOUGH_WORDS, ENOUGH_OF_CORE = 0.5, 0.6  # shares of an explanation's telling words
ENOUGH_ALIKE = 0.6
FEWEST_WORDS, FEW_WORDS = 2, 4
ENOUGH_AFTER_YES = 0.25
ENOUGH_OF_SEVERAL = 0.34
NGRAM = 6  # characters, as in chrF
NEAR_DENIAL = 3  # words
YES, NO = re.compile(r"^\W*(?:yes|si)\b"), re.compile(r"^\W*no\b")


def grade(question: str, reference: str, answer: str, language: str = "en") -> Verdict:
    """Grade an answer by a reference answer."""
    asked = Question(question, language)
    alike = similarity(reference, answer)
    if not WORD.search(answer) and not re.search(r"[^\w\s]", answer):
        return Verdict(False, EMPTY)
    told = _texts(answer)
    if told == _texts(question):
        return Verdict(False, ECHOES, {}, alike)
    if told == _texts(reference):
        return Verdict(True, CLOSE, {"share": "100%"}, alike)
    wanted = required(asked, reference)
    said = Statement(answer, language)
    if flaw := _wrong_polarity(reference, said):
        return _with(flaw, alike)
    if wanted.facts:
        known = Statement(f"{question} {reference}", language)
        verdict = grade_facts(asked, wanted.facts, said, known)
        if verdict.passed and wanted.several and _share(wanted.words, said) < ENOUGH_OF_SEVERAL:
            verdict = Verdict(False, FAR, {"share": f"{_share(wanted.words, said):.0%}"})
        return _with(verdict, alike)
    return _with(_grade_words(asked, wanted, Statement(reference, language), said, alike), alike)


def grade_accepted(
    question: str, accepted: Sequence[str], answer: str, language: str = "en"
) -> Verdict:
    """Grade an answer by a list of answers of which any is right; `a + b` asks for both."""
    asked, said = Question(question, language), Statement(answer, language)
    if not WORD.search(answer):
        return Verdict(False, EMPTY)
    known = Statement(" ; ".join([question, *accepted]), language)
    if asked.choices and (flaw := _wrong_choice(asked, accepted, said)):
        return flaw
    verdicts = [
        grade_facts(asked, [_fact(part, language) for part in one.split(" + ")], said, known)
        for one in accepted
    ]
    passed = next((verdict for verdict in verdicts if verdict.passed), None)
    told = next((v for v in verdicts if v.reason != LACKS), verdicts[0])
    return passed or told


def _texts(text: str) -> list[str]:
    return [word.text for word in Statement(text).words]


def similarity(reference: str, answer: str) -> float:
    """Return the F-score of common character n-grams (after chrF, Popović 2015), from 0 to 1."""
    ours, theirs = _ngrams(reference), _ngrams(answer)
    common = sum((ours & theirs).values())
    total = sum(ours.values()) + sum(theirs.values())
    return round(2 * common / total, 3) if total else 0.0


def _ngrams(text: str) -> Counter[str]:
    squeezed = "".join(WORD.findall(flat(text)))
    return Counter(
        squeezed[i : i + n] for n in range(1, NGRAM + 1) for i in range(len(squeezed) - n + 1)
    )


def _with(verdict: Verdict, alike: float) -> Verdict:
    return Verdict(verdict.passed, verdict.reason, verdict.data, alike)


def _fact(accepted: str, language: str) -> Fact:
    text = flat(accepted)
    found = list(quantities(text, language))
    if len(found) == 1 and (found[0].start, found[0].end) == (0, len(text)):
        return Fact("quantity", accepted, quantity=found[0])
    return Fact("name" if accepted[:1].isupper() else "term", accepted)


def _wrong_choice(asked: Question, accepted: Sequence[str], said: Statement) -> Verdict | None:
    """Two things were offered: the one that the answer names first is its answer."""
    mentioned = []
    for choice in asked.choices:
        places = [p for p in said.finds(_fact(choice, asked.language)) if not said.denies(*p)]
        if places:
            mentioned.append((places[0][0], choice))
    if not mentioned:
        return None
    chosen = min(mentioned)[1]
    right = any(stem(flat(chosen)) == stem(flat(one)) or flat(chosen) in flat(one)
                for one in accepted)  # fmt: skip
    return None if right else Verdict(False, OTHER, {"other": chosen, "facts": accepted[0]})


def _wrong_polarity(reference: str, said: Statement) -> Verdict | None:
    """Compare yes with no."""
    known = flat(reference)
    for one, other, word in ((YES, NO, "yes"), (NO, YES, "no")):
        if one.match(known) and other.match(said.flat):
            return Verdict(False, LACKS, {"facts": word})
    return None


def _grade_words(
    asked: Question, wanted: Required, reference: Statement, said: Statement, alike: float
) -> Verdict:
    """Grade an explanation: enough of the reference's telling words, none turned round."""
    words, core = wanted.words, wanted.core
    few = len(words) < FEW_WORDS
    if len(words) < FEWEST_WORDS:
        words = core = telling(reference.words)
    turned = [w.raw for w in words if _turned(w, wanted.said, said)]
    if turned:
        return Verdict(False, OPPOSITE, {"words": ", ".join(turned)})
    share, of_core = _share(words, said), _share(core, said)
    enough = share >= (ENOUGH_OF_CORE if few else ENOUGH_WORDS)
    enough = enough or of_core >= ENOUGH_OF_CORE or alike >= ENOUGH_ALIKE
    for polarity in (YES, NO):
        if polarity.match(reference.flat) and polarity.match(said.flat):
            adds = telling(said.words, asked.stems | {"si"})
            enough = enough or share >= ENOUGH_AFTER_YES or not adds
    data = {"share": f"{max(share, of_core):.0%}"}
    return Verdict(enough, CLOSE if enough else FAR, data)


def _share(words: Sequence[Word], said: Statement) -> float:
    found = sum(word.stem in said.stems for word in words)
    return found / len(words) if words else 0.0


def _turned(word: Word, reference: Statement, said: Statement) -> bool:
    """Whether a word is denied on one side only, close to the negation."""
    uses = [w for w in said.words if w.stem == word.stem]
    if not uses:
        return False
    denied = _denied_near(reference, word)
    return all(_denied_near(said, use) != denied for use in uses)


def _denied_near(said: Statement, word: Word) -> bool:
    before = [w.text for w in said.words if w.end <= word.start][-NEAR_DENIAL:]
    return NEGATIONS.search(" ".join(before)) is not None
