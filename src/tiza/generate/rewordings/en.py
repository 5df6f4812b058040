"""Rewordings of English questions: eight shapes of asking the same, each only where it is sure."""

import re

from tiza.generate.rewordings.english_order import embedded, is_noun_phrase
from tiza.generate.rewordings.english_words import (
    ACTIONS,
    ADJECTIVES,
    ATTRIBUTES,
    BOUND,
    CLAUSE,
    COMMANDS,
    NOT_A_SUBJECT,
    PREPOSITIONS,
    QUESTION_WORDS,
    STATES,
    VERBS,
    third_person,
)
from tiza.generate.rewordings.prompt import (
    Families,
    Prompt,
    capital,
    small,
    typed_on_a_phone,
)

FIELDS = (
    "algebra|arithmetic|art|astronomy|biology|botany|chemistry|economics|geography|geometry|grammar"
    "|history|law|linguistics|literature|maths|mathematics|medicine|music|philosophy|physics"
    "|politics|programming|statistics"
)
NAME = r"(?:the )?[A-Z][\w-]*(?: (?:of (?:the )?)?[A-Z][\w-]*)*"
TERM = re.compile(
    r"What (?:is (?P<article>an?) (?P<term>[\w-]+(?: [\w-]+){0,2}?)|is (?P<bare>[a-z]{5,}))"
    rf"(?P<field> in (?:{FIELDS}|[A-Z]\w+))?"
)
DEFINED = re.compile(
    rf"What (?P<be>is|are) (?P<subject>[\w'-]+(?: [\w'-]+){{0,3}}?)"
    rf"(?P<field> in (?:{FIELDS}|[A-Z]\w+))?"
)
COMPARED = re.compile(r"What is [a-z-]+er")  # a thing ("water") or a degree ("bigger")
OWNED = re.compile(
    rf"What (?:is|are) (?P<subject>the (?:[a-z]+ )?(?:{'|'.join(ATTRIBUTES.split())})s? "
    r"(?:of|between|for) .+)"
)
OWNER = re.compile(
    rf"What (?P<be>is|was) the (?P<thing>(?:[a-z]+ )?(?:{'|'.join(ATTRIBUTES.split())})) of "
    r"(?P<owner>[A-Z]\w+(?: [A-Z]\w+)*)"
)
MOST = re.compile(r"What (?P<be>is|are) (?P<subject>the (?:[a-z]{2,}est|most [a-z]+) [a-z].*)")
HOW_TO = re.compile(r"How (?:do (?:you|I|we)|does one|can (?:I|you|we|one)) (?P<action>(\w+) .+)")
PLACE = re.compile(rf"(?P<rest>.+) (?P<place>(?P<by>in|at) (?P<name>{NAME}|{FIELDS}))")
TIME = re.compile(
    r"(?P<rest>.+) (?P<time>in \d{3,4}(?: BC| AD)?|in [A-Z][a-z]+(?:ary|ch|il|May|ne|ly|ust|ber)"
    r"|in May|on (?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?)"
)
MONTH = re.compile(r"in (?:[A-Z][a-z]*(?:ary|ber)|March|April|May|June|July|August)")

ASK_FOR_A_FACT = (
    "Can you tell me {}?",
    "Could you tell me {}?",
    "Do you know {}?",
    "Please tell me {}.",
    "Tell me {}.",
    "I would like to know {}.",
    "I want to know {}.",
    "I have forgotten {}. Can you help me?",
    "I need to know {}.",
    "Would you mind telling me {}?",
)
ASK_FOR_A_THING = (
    "Tell me {}.",
    "Please tell me {}.",
    "Do you know {}?",
    "I need to know {}.",
    "Can you tell me {}?",
)
ASK_HOW_TO = (
    "Show me how to {}.",
    "Can you explain how to {}?",
    "I want to {}. How is it done?",
    "I need to {}. What do I have to do?",
    "Please tell me how to {}.",
    "I do not know how to {}. Can you help me?",
)
COMMAND_FRAMES = (
    "Can you {}?",
    "Could you {}, please?",
    "Please {}.",
    "I would like you to {}.",
    "I need you to {}.",
    "Your task is to {}.",
)
QUESTION_FRAMES = (
    "I have a question. {}",
    "{} Can you help me with this?",
    "Hello! {}",
    "Here is my question. {}",
    "{} Thank you!",
    "Can you answer this? {}",
    "I need help with a question. {}",
)
TEXT_FRAMES = ("I need your help. {}", "Can you help me with this? {}", "Here is what I need. {}")
PHONE_FRAMES = ("hey {}", "quick question {}")
PHONE_CLAUSE_FRAMES = ("do you know {}", "pls tell me {}", "can u tell me {}")
SHORTENED = re.compile(r"(What|Who|Where) is (?!it\b|he\b|she\b)(?=\w)")
NO_NOUN = VERBS | {third_person(verb) for verb in VERBS}
NO_NOUN |= {"of", "is", "are", "was", "were", "one", "can", "does", "did", "has", "have", "will"}
WHICH = re.compile(rf"^(?:(?:In|At|On) w|W)hich (?!(?:{'|'.join(sorted(NO_NOUN))})\b)(?=[a-z])")


def _definitions(prompt: Prompt) -> list[str]:
    """Ask for the meaning: "What is a list?" → "What does the term "list" mean?"."""
    question, texts = prompt.question, []
    if COMPARED.fullmatch(question):
        return []
    if found := DEFINED.fullmatch(question):
        subject, field = found["subject"], found["field"] or ""
        first, *rest = subject.split()
        if _is_term(rest if first in {"a", "an"} else [first, *rest], plural=found["be"] == "are"):
            explain = f"{subject} {found['be']}{field}"
            texts += [f"Explain what {explain}.", f"Can you explain what {explain}?"]
    if (found := TERM.fullmatch(question)) and _is_term((found["term"] or found["bare"]).split()):
        term, field = found["term"] or found["bare"], found["field"] or ""
        if term.islower():
            texts += [f'What does the term "{term}" mean{field}?', f'Define "{term}"{field}.']
            texts += [f'What do we mean by "{term}"{field}?']
    return [prompt.ask(text) for text in texts]


def _is_term(words: list[str], plural: bool = False) -> bool:
    """Whether the words may be defined: a common noun, with words that belong to it."""
    loose = ADJECTIVES | STATES | NOT_A_SUBJECT | PREPOSITIONS | CLAUSE | {"the", "and", "or", "of"}
    if not words or loose.intersection(words) or any(w[0].isupper() for w in words):
        return False
    if any(len(w) < 3 or w.endswith("ly") for w in words):  # noqa: PLR2004  # no noun is shorter
        return False
    last = words[-1]
    return last.endswith(("s", "a")) if plural else not last.endswith(("ing", "ed"))


def _things(prompt: Prompt) -> list[str]:
    """Ask for the thing: "What is the capital of Peru?" → "Tell me the capital of Peru."."""
    question, texts = prompt.question, []
    if (found := OWNED.fullmatch(question)) and is_noun_phrase(found["subject"].split()):
        texts += [frame.format(found["subject"]) for frame in ASK_FOR_A_THING]
    if found := MOST.fullmatch(question):
        subject = found["subject"]
        if is_noun_phrase(subject.split()):
            texts += [f"Name {subject}.", f"Which {found['be']} {subject}?"]
    if (found := OWNER.fullmatch(question)) and not found["owner"].endswith("s"):
        texts.append(f"What {found['be']} {found['owner']}'s {found['thing']}?")
    return [prompt.ask(text) for text in texts]


def _indirect(prompt: Prompt) -> list[str]:
    """Ask indirectly: "When does it open?" → "Could you tell me when it opens?"."""
    clause = embedded(prompt.question) if prompt.question else None
    return [prompt.ask(frame.format(clause)) for frame in ASK_FOR_A_FACT] if clause else []


def _fronted(prompt: Prompt) -> list[str]:
    """Put the place or time first: "Who teaches at Elm?" → "At Elm, who teaches?"."""
    question, texts = prompt.question, []
    opening = small(question).split()[:1]
    if not opening or opening[0] not in QUESTION_WORDS or not _is_simple(question):
        return []
    if found := TIME.fullmatch(question):
        month = found["time"].startswith("in ") and not found["time"][3].isdigit()
        if (not month or MONTH.fullmatch(found["time"])) and _is_free(found["rest"]):
            texts.append(f"{capital(found['time'])}, {small(found['rest'])}?")
    elif (found := PLACE.fullmatch(question)) and _is_free(found["rest"]):
        texts.append(f"{capital(found['place'])}, {small(found['rest'])}?")
        there = " there" if found["by"] == "at" else ""
        if len(prompt.sentences) == 1 and not found["name"].startswith("the "):
            texts.append(f"A question about {found['name']}: {small(found['rest'])}{there}?")
    return [prompt.ask(text) for text in texts]


def _is_simple(question: str) -> bool:
    low = question.lower().replace(",", " ,").split()
    return "," not in low and not CLAUSE.intersection(low[1:])


def _is_free(rest: str) -> bool:
    """Whether what stands before a place is whole without it."""
    words = rest.split()
    last = words[-1]
    return len(words) > 2 and last not in BOUND | PREPOSITIONS and not last.endswith("ed")  # noqa: PLR2004  # "what is" is not whole


def _how_to(prompt: Prompt) -> list[str]:
    """Ask for the way: "How do you sort a list?" → "Show me how to sort a list."."""
    found = HOW_TO.fullmatch(prompt.question)
    if not found or found[2] not in ACTIONS or not _is_impersonal(found["action"]):
        return []
    action = found["action"]
    texts = [frame.format(action) for frame in ASK_HOW_TO]
    texts += [f"{how} {action}?" for how in ("How can I", "How do I", "What is the way to")]
    return [prompt.ask(text) for text in texts]


def _is_impersonal(action: str) -> bool:
    return not {"your", "you", "me", "my", "I", "we", "us", "our"}.intersection(action.split())


def _commands(prompt: Prompt) -> list[str]:
    """Soften a command: "Name the planets." → "Can you name the planets?"."""
    if prompt.whole:
        return [f"Please {small(prompt.text)}"] if _commanded(prompt.text) else []
    for place, sentence in ((0, prompt.sentences[0]), (-1, prompt.sentences[-1])):
        command = sentence.removesuffix(".")
        if _commanded(sentence) and not sentence.endswith(("?", "!")):
            texts = [frame.format(small(command)) for frame in _command_frames(command)]
            return [prompt.put(place, text) for text in texts]
    return []


def _commanded(sentence: str) -> bool:
    return sentence[:1].isupper() and sentence.split(maxsplit=1)[0].lower() in COMMANDS


def _command_frames(command: str) -> list[str]:
    if command.endswith(('"', "”", ":")) or ": " in command:
        return ["Please {}."]
    spoken_to = {"you", "your", "yourself"}.intersection(command.split())
    return [
        frame for frame in COMMAND_FRAMES if not (spoken_to and frame.startswith(("I ", "Your")))
    ]


def _wordings(prompt: Prompt) -> list[str]:
    """Change one small word: "Which language …?" → "What language …?"."""
    question = prompt.question
    changed = [
        WHICH.sub(lambda found: found[0].replace("hich", "hat"), question),
        re.sub(r"^At what time ", "What time ", question),
        re.sub(r"^In (?:which|what) year ", "What year ", question),
        re.sub(
            r"^How many ([a-z]+) are there (?=(?:in|on|at) )",
            r"What is the number of \1 ",
            question,
        ),
    ]
    return [prompt.ask(f"{text}?") for text in changed if text != question]


def _phone(prompt: Prompt) -> list[str]:
    """Type carelessly: "Where is it kept?" → "hey where is it kept"."""
    question = prompt.question
    if len(prompt.sentences) > 1 or not question:
        return []
    if found := SHORTENED.match(question):
        return _typed([f"{found[1]}s {question[found.end() :]}"])
    clause = embedded(question)
    texts = [frame.format(question) for frame in PHONE_FRAMES]
    return _typed(texts + [frame.format(clause) for frame in PHONE_CLAUSE_FRAMES if clause])


def _typed(texts: list[str]) -> list[str]:
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
