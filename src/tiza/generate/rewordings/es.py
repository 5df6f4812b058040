"""Rewordings of Spanish questions: eight shapes of asking the same, each only where it is sure.

Spanish keeps its word order inside a sentence ("¿cuándo abre?" → "dime cuándo abre"), so most rules
are about the frame; the others rest on closed lists of words.
"""

import re

from tiza.generate.rewordings.prompt import Families, Prompt, capital, small, typed_on_a_phone
from tiza.generate.rewordings.spanish_words import (
    BOUND,
    CLAUSE,
    COMMANDS,
    FIELDS,
    INFINITIVES,
    NO_TERM,
    PREPOSITIONS,
    QUESTION_WORDS,
    VERBS_FIRST,
    of,
)

ARTICLE = "(?:el |la |los |las )"
CAPITAL = r"[A-ZÁÉÍÓÚÑ][\w-]*"
NAME = rf"{ARTICLE}?(?:[a-zñáéíóú]+ )?{CAPITAL}(?: (?:de (?:la |los |las )?)?{CAPITAL})*"
WORDS = r"[a-zñáéíóúü]+(?: (?:de (?:la |las |los )?)?[a-zñáéíóúü]+){0,2}?"
FIELD = rf"(?P<field> en (?:{FIELDS}|[A-ZÁÉÍÓÚÑ]\w+))?"
TERM = re.compile(rf"Qué (?P<be>es|son) (?P<article>una?|el|la|los|las) (?P<term>{WORDS}){FIELD}")
WHICH = re.compile(r"Cuál(?:es)? (?:es|son) (?P<thing>(?:el|la|los|las) [a-zñáéíóú0-9]+ .+)")
DIFFERENCE = re.compile(
    r"(?:Qué diferencia hay|Cuál es la diferencia) (?P<pair>entre (?P<two>.+ (?:y|e) .+))"
)
USE = re.compile(r"Qué función (?P<has>tienen?) (?P<thing>(?:el|la|los|las) .+)")
CALLED = re.compile(r"Cómo se (?:llama|llaman) (?P<thing>(?:el|la|los|las) .+)")
WHERE = re.compile(r"Dónde (?P<be>está|están) (?=[\w])")
DONE = re.compile(r"Cómo se (?P<verb>\w+) (?P<rest>.+)")
DAY = "lunes|martes|miércoles|jueves|viernes|sábados?|domingos?"
MONTH = "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
TIME = re.compile(rf"(?P<rest>.+) (?P<time>en \d{{3,4}}|en (?:{MONTH})|(?:el|los) (?:{DAY}))")
PLACE = re.compile(rf"(?P<rest>.+) (?P<place>en (?P<name>{NAME}|{FIELDS}))")

ASK_FOR_A_FACT = (
    "¿Me puedes decir {}?",
    "¿Podrías decirme {}?",
    "¿Sabes {}?",
    "Dime {}.",
    "Por favor, dime {}.",
    "Quiero saber {}.",
    "Me gustaría saber {}.",
    "¿Podría decirme {}?",
    "No recuerdo {}. ¿Me ayudas?",
    "Necesito saber {}.",
)
ASK_FOR_A_THING = ("Dime {}.", "¿Me dices {}?", "Por favor, dime {}.")
COMMAND_FRAMES = ("¿Puedes {}?", "¿Podrías {}, por favor?", "¿Me ayudas a {}?", "Tienes que {}.")
QUESTION_FRAMES = (
    "Tengo una pregunta. {}",
    "{} ¿Me ayudas?",
    "Hola. {}",
    "Tengo una duda. {}",
    "{} Gracias.",
    "¿Puedes responder a esto? {}",
    "Esta es mi pregunta. {}",
)
TEXT_FRAMES = ("Necesito tu ayuda. {}", "¿Me ayudas con esto? {}", "Esto es lo que necesito. {}")
PHONE_FRAMES = ("oye {}", "hola {}", "una duda {}")
PHONE_CLAUSE_FRAMES = ("sabes {}", "me dices {}", "xfa dime {}")


def _definitions(prompt: Prompt) -> list[str]:
    """Ask for the meaning: "¿Qué es una lista?" → "¿Qué significa «lista»?"."""
    found = TERM.fullmatch(prompt.question)
    if not found or (CLAUSE | NO_TERM).intersection(found["term"].split()):
        return []
    term, field = found["term"], found["field"] or ""
    subject = f"{found['article']} {term}{field}"
    texts = [f"Explica qué {found['be']} {subject}.", f"¿Me explicas qué {found['be']} {subject}?"]
    texts.append(f"¿Qué se entiende por {term}{field}?")
    if found["be"] == "es":
        texts += [f"¿Qué significa «{term}»{field}?", f"Define «{term}»{field}."]
    return [prompt.ask(text) for text in texts]


def _things(prompt: Prompt) -> list[str]:
    """Ask for the thing: "¿Cuál es la capital del Perú?" → "Dime la capital del Perú."."""
    question, texts = prompt.question, []
    if (found := DIFFERENCE.fullmatch(question)) and _is_simple(found["two"]):
        texts += [
            f"Explica la diferencia {found['pair']}.",
            f"¿En qué se diferencian {found['two']}?",
        ]
        texts += [
            f"¿Cuál es la diferencia {found['pair']}?",
            f"¿Qué diferencia hay {found['pair']}?",
        ]
    elif (found := WHICH.fullmatch(question)) and _is_simple(found["thing"]):
        texts += [frame.format(found["thing"]) for frame in ASK_FOR_A_THING]
    elif (found := USE.fullmatch(question)) and _is_simple(found["thing"]):
        texts += [f"¿Cuál es la función {of(found['thing'])}?"]
        texts += [f"Explica la función {of(found['thing'])}."]
    elif (found := CALLED.fullmatch(question)) and _is_simple(found["thing"]):
        texts += [
            f"Dime el nombre {of(found['thing'])}.",
            f"¿Cuál es el nombre {of(found['thing'])}?",
        ]
    return [prompt.ask(text) for text in texts]


def _how_to(prompt: Prompt) -> list[str]:
    """Ask for the way: "¿Cómo se crea una lista?" → "Explica cómo crear una lista."."""
    found = DONE.fullmatch(prompt.question)
    if not found or found["verb"] not in INFINITIVES:
        return []
    action = f"{INFINITIVES[found['verb']]} {found['rest']}"
    texts = [f"¿Qué hay que hacer para {action}?", f"Explica cómo {action}."]
    texts += [f"¿De qué manera se {found['verb']} {found['rest']}?", f"¿Me explicas cómo {action}?"]
    return [prompt.ask(text) for text in texts]


def _indirect(prompt: Prompt) -> list[str]:
    """Ask indirectly: "¿Cuándo abre?" → "¿Me puedes decir cuándo abre?"."""
    clause = _clause(prompt.question)
    return [prompt.ask(frame.format(clause)) for frame in ASK_FOR_A_FACT] if clause else []


def _clause(question: str) -> str:
    """Return the question as a clause, empty if it may be more than one."""
    words = small(question).split()
    if len(words) < 3 or re.search(r"[¿?]", question):  # noqa: PLR2004  # verb, subject and more
        return ""
    opening = words[1] if words[0] in PREPOSITIONS else words[0]
    if opening in QUESTION_WORDS:
        return small(question)
    return f"si {small(question)}" if words[0] in VERBS_FIRST else ""


def _fronted(prompt: Prompt) -> list[str]:
    """Put the place or time first: "¿Quién da arte en Luna?" → "En Luna, ¿quién da arte?"."""
    question = prompt.question
    words = small(question).split()
    if not words or not _is_simple(question) or not _may_be_fronted(words):
        return []
    if found := TIME.fullmatch(question):
        texts = [f"{capital(found['time'])}, ¿{small(found['rest'])}?"]
    elif found := PLACE.fullmatch(question):
        texts = [f"{capital(found['place'])}, ¿{small(found['rest'])}?"]
        name = re.sub("^el ", "", found["name"])
        about = f"sobre {name}" if name == found["name"] else f"sobre el {name}"
        texts += (
            [f"Una pregunta {about}: ¿{small(found['rest'])}?"]
            if len(prompt.sentences) == 1
            else []
        )
    else:
        return []
    rest = found["rest"].split()
    free = len(rest) > 2 and rest[-1] not in BOUND | PREPOSITIONS  # noqa: PLR2004  # "qué es" is not whole
    return [prompt.ask(text) for text in texts] if free else []


def _may_be_fronted(words: list[str]) -> bool:
    opening = words[1] if words[0] in PREPOSITIONS and len(words) > 1 else words[0]
    return opening in QUESTION_WORDS or words[0] == "hay" or words[:2] == ["se", "puede"]


def _is_simple(text: str) -> bool:
    words = re.sub(r"[«»]", "", text).split()
    inside = words[2:] if words[0].lower() in PREPOSITIONS else words[1:]
    return not any("," in word for word in words) and not CLAUSE.intersection(inside)


def _commands(prompt: Prompt) -> list[str]:
    """Soften a command: "Nombra los planetas." → "¿Puedes nombrar los planetas?"."""
    if prompt.whole:
        return [f"Por favor, {small(prompt.text)}"] if _commanded(prompt.text) else []
    for place, sentence in ((0, prompt.sentences[0]), (-1, prompt.sentences[-1])):
        if _commanded(sentence) and sentence.endswith((".", "»")):
            return [prompt.put(place, text) for text in _asked_politely(sentence.removesuffix("."))]
        if _commanded(sentence) and place == 0 and ":" in sentence:
            return [f"Por favor, {small(prompt.text)}"]
    return []


def _commanded(sentence: str) -> bool:
    return sentence[:1].isupper() and sentence.split(maxsplit=1)[0].lower() in COMMANDS


def _asked_politely(command: str) -> list[str]:
    verb, _, rest = small(command).partition(" ")
    texts = [f"Por favor, {small(command)}."]
    another = any(word in COMMANDS for word in rest.split())
    if ":" in command or another or "?" in command:
        return texts if not command.endswith("?»") else [text.removesuffix(".") for text in texts]
    action = f"{COMMANDS[verb]} {rest}"
    frames = COMMAND_FRAMES[:2] if verb.endswith("me") else COMMAND_FRAMES
    return texts + [frame.format(action) for frame in frames]


def _wordings(prompt: Prompt) -> list[str]:
    """Change one small word: "¿Dónde está …?" → "¿Dónde se encuentra …?"."""
    question = prompt.question
    changed = [
        WHERE.sub(lambda m: f"Dónde se encuentra{'n' if m['be'] == 'están' else ''} ", question),
        re.sub(r"^Qué significa (?=[«\"])", "Qué quiere decir ", question),
        re.sub(r"^Para qué sirven ", "Qué utilidad tienen ", question),
        re.sub(r"^Para qué sirve ", "Qué utilidad tiene ", question),
    ]
    return [prompt.ask(f"¿{text}?") for text in changed if text and text != question]


def _phone(prompt: Prompt) -> list[str]:
    """Type carelessly: "¿Quién es la directora?" → "oye quien es la directora"."""
    question = prompt.question
    if len(prompt.sentences) > 1 or not question:
        return []
    clause = _clause(question)
    texts = [frame.format(question) for frame in PHONE_FRAMES]
    texts += [frame.format(clause) for frame in PHONE_CLAUSE_FRAMES if clause]
    return [typed for text in texts if (typed := typed_on_a_phone(text))]


def _framed(prompt: Prompt) -> list[str]:
    """Put words around the prompt that change nothing inside it."""
    frames = QUESTION_FRAMES if prompt.asks else TEXT_FRAMES
    return [frame.format(prompt.text) for frame in frames if prompt.text]


FAMILIES: Families = (
    _definitions,
    _things,
    _how_to,
    _indirect,
    _fronted,
    _commands,
    _phone,
    _wordings,
    _framed,
)
