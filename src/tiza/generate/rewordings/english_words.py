"""Closed lists of English words that a rewording may rely on, and how the listed verbs inflect."""

import re


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _pairs(words: str) -> dict[str, str]:
    listed = words.split()
    return dict(zip(listed[::2], listed[1::2], strict=True))


QUESTION_WORDS = _set("who whom whose what which when where why how")
BE = _set("is are was were")
DO = _set("do does did")
HAVE = _set("has have had")
MODALS = _set("can could may might must should will would")
PRONOUNS = _set("i you he she it we they I")
DETERMINERS = _set(
    "a an the my your his her its our their this that these those no every each some any all most "
    "one two three four five six seven eight nine ten many much more another"
)
PREPOSITIONS = _set(
    "about above across after against along among around as at before behind below beside between "
    "beyond by down during for from in inside into like near of off on onto out outside over per "
    "since through to toward towards under until up upon with within without"
)
# Words that begin a clause inside the question, where the main verb can no longer be told.
CLAUSE = _set(
    "that who whom whose which what when where why how while because although though if whether "
    "unless than so whenever wherever"
)
NOT_A_SUBJECT = _set(
    "it they he she we you i there here this that these those not also called made used known "
    "left wrong missing true false"
)
ADJECTIVES = _set(
    "good bad better worse typical common usual normal possible suitable safe other another "
    "likely main special new old first last next important different wrong missing simple short "
    "long easy great small large big best worst right average certain little red blue green daily "
    "free young correct easier faster happy ready"
)
ADVERBS = _set("up out off home together first last most")
STATES = _set(
    "absent allowed angry asleep available busy calm closed cold common crowded dangerous dark "
    "deep dirty dry empty expensive full hard heavy high hot hungry illegal late legal light low "
    "necessary noisy official open popular present quiet rare red scarce shut sick soft strong "
    "thick thin tired useful warm weak wet white wide"
)
PARTICIPLES = _set(
    "built born done drawn eaten fought found given held kept known led left lent lost made met "
    "paid put read said seen sent set shown sold spoken spent taken taught told won worn written "
    "begun brought bought chosen cut grown hidden shot sung sunk struck stolen torn thrown"
)
SUPERLATIVE = re.compile(r"the (?:most|least|[a-z]{2,}est)\b")
PREDICATES = re.compile(
    r"^(?P<subject>.+?) (?P<predicate>(?:called|made of|used for|good for|for|like|about)"
    r"(?: (?:in|at) (?:the )?[A-Z][\w ]*)?)$"
)

REGULAR = _set(
    "abolish absorb act add adopt allow appear apply ask attack attend base begin belong bloom "
    "boil borrow bring build buy call care carry catch cause change choose clean climb close "
    "collect come compare compete connect consist contain continue contribute control convert "
    "cook cost count cover create cross dance decide define depend describe destroy develop die "
    "differ discover divide draw drink drive earn eat employ end enter erupt evaporate exist "
    "expect explain express fall feed feel fight find finish fit float flow fly follow form found "
    "freeze function gain get give go grow handle happen have hear help hold hunt improve include "
    "invade invent join keep kill know lay lead learn leave lend lie like limit live look lose "
    "make mark marry mean measure meet melt move need obtain occur offer open orbit own park pay "
    "play prefer prepare prevent produce protect prove provide pump put reach read receive "
    "reflect release remain remove repair represent reproduce rise rule run say see sell send "
    "serve set share shine show sing sink sleep spell spend spin split spread stand start stay "
    "stop store study surround swim take teach tell thank think touch train travel turn use visit "
    "vote wait walk want watch wear weigh win work write rotate perform reproduce order save "
    "print install solve spell pronounce translate sort subtract multiply calculate simplify "
    "enrol register renew return report log sign"
)
VERBS = REGULAR | _set("do")
IRREGULAR_PAST = _pairs(
    "begin began bring brought build built buy bought catch caught choose chose come came cost "
    "cost do did draw drew drink drank drive drove eat ate fall fell feed fed feel felt fight "
    "fought find found fly flew freeze froze get got give gave go went grow grew have had hear "
    "heard hold held keep kept know knew lay laid lead led leave left lend lent lose lost make "
    "made mean meant meet met pay paid put put read read rise rose run ran say said see saw "
    "sell sold send sent set set shine shone show showed sing sang sink sank sleep slept spend "
    "spent spin spun split split spread spread stand stood swim swam take took teach taught "
    "tell told think thought wear wore win won write wrote"
)
UNSURE_PAST = _set("lie fit learn spell")  # two past forms, by meaning or by country
DOUBLED = _set("stop travel split log control occur prefer sit plan")

# Verbs that need their place: "who lives in Peru" is not "in Peru, who lives".
BOUND = _set(
    "is are was were be been live lives lived arrive arrives arrived stay stays stayed lie "
    "lies born believe believes work works worked anywhere located situated interested good "
    "better best there teach teaches taught sit sits do does did you"
)

# What "how do you …" may ask of anybody: actions, none of which could be meant of the one asked.
ACTIONS = _set(
    "add append build calculate change compare convert count create define delete divide draw "
    "find form get handle import install join loop make measure multiply open pronounce prove "
    "read remove renew round save show simplify solve sort spell split store subtract test turn "
    "use write"
)
COMMANDS = _set(
    "add ask arrange calculate change choose combine compare complete compose convert correct "
    "count define describe draft draw estimate explain extract fill find finish give help "
    "identify introduce invent join list make mention name note order pick point prepare put "
    "rephrase retell rewrite say select set shorten show simplify solve sort sum summarise "
    "summarize tell test translate turn write"
)
# Nouns that are somebody's or something's: "what is the capital of Peru" asks for the capital.
ATTRIBUTES = (
    "address age answer area author birthday capital cause colour color cost currency date depth "
    "difference director distance duration equation essence extension flag formula function "
    "height length limit location main maximum meaning minimum motto name nickname number "
    "opposite origin password plural population price purpose result role root size speed sum "
    "symbol syntax task temperature title total use value volume weight width"
)


def third_person(verb: str) -> str:
    """Return the form with he, she or it: opens, teaches, carries, has."""
    if verb == "have":
        return "has"
    if verb.endswith(("s", "x", "z", "ch", "sh", "o")):
        return f"{verb}es"
    return f"{verb[:-1]}ies" if re.search(r"[^aeiou]y$", verb) else f"{verb}s"


def past(verb: str) -> str | None:
    """Return the past form, None where there are two."""
    if verb in UNSURE_PAST:
        return None
    if verb in IRREGULAR_PAST:
        return IRREGULAR_PAST[verb]
    if verb in DOUBLED:
        return None if verb == "travel" else f"{verb}{verb[-1]}ed"
    if verb.endswith("e"):
        return f"{verb}d"
    return f"{verb[:-1]}ied" if re.search(r"[^aeiou]y$", verb) else f"{verb}ed"
