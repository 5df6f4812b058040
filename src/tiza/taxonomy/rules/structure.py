"""Rules on the keys of a lesson and what they hold."""

from tiza.taxonomy.rules.rule import Rule, Severity
from tiza.translation import N_

ERROR, WARNING, INFO = Severity

STRUCTURE_RULES = (
    Rule(
        "empty-file",
        ERROR,
        N_("The file is empty."),
        N_("Begin a lesson with: tiza taxonomy new"),
        N_("An empty file teaches nothing."),
    ),
    Rule(
        "not-a-mapping",
        ERROR,
        N_("{where} must consist of lines like `key: value`."),
        N_("Write each part with its key, for example `question: …` and below it `answer: …`."),
        N_("The keys say what is a question, what an answer and so on."),
    ),
    Rule(
        "not-a-list",
        ERROR,
        N_("`{key}` must be a list."),
        N_("Begin each entry below it on a new line with a dash and a space: `- `."),
        N_("A dash marks where the next entry begins."),
    ),
    Rule(
        "not-text",
        ERROR,
        N_("`{key}` must be a text, but YAML reads {value} as {type}."),
        N_('Put it between quotes: "{value}"'),
        N_(
            "Words like yes, no, true and null, and plain numbers and dates, are not texts in YAML."
        ),
    ),
    Rule(
        "text-expected",
        ERROR,
        N_("`{key}` must be a text, not a list or a group of keys."),
        N_("Write the text on one line, or below the key after `>-`."),
        N_("Only a text can be taught."),
    ),
    Rule(
        "empty-text",
        ERROR,
        N_("`{key}` is empty."),
        N_("Write the text after the colon, or remove the key if it is optional."),
        N_("An empty text teaches nothing."),
    ),
    Rule(
        "missing-key",
        ERROR,
        N_("{where} lacks `{key}`."),
        N_("Add a line `{key}: …`."),
        N_("Without it the lesson cannot be taught."),
    ),
    Rule(
        "misspelt-key",
        ERROR,
        N_("There is no key `{key}` here; do you mean `{meant}`?"),
        N_("Write `{meant}:` instead of `{key}:`."),
        N_("A key with a slip of the pen would be passed over."),
    ),
    Rule(
        "unknown-key",
        ERROR,
        N_("There is no key `{key}` here."),
        N_("Remove it, or use one of: {known}."),
        N_("A key that nobody reads is a mistake more often than not."),
    ),
    Rule(
        "unused-key",
        WARNING,
        N_("The key `{key}` is not used."),
        N_("Remove it, or use one of: {known}."),
        N_(
            "InstructLab's schema lets other keys pass in questions_and_answers; nothing uses them."
        ),
    ),
    Rule(
        "unsupported-version",
        ERROR,
        N_("Version {version} does not exist for this kind of lesson."),
        N_("Write `version: 3`."),
        N_("Knowledge exists in version 3 only, skills in versions 1 to 3."),
    ),
    Rule(
        "too-few-examples",
        ERROR,
        N_("`seed_examples` has {count} entries; it needs at least {least}."),
        N_("Add {missing} more, each beginning with a dash."),
        N_("From fewer examples the teacher model cannot tell what the lesson is about."),
    ),
    Rule(
        "too-few-pairs",
        ERROR,
        N_("This context has {count} questions; it needs at least {least}."),
        N_("Add more questions whose answers the context gives; still missing: {missing}."),
        N_("InstructLab asks for three questions on every context."),
    ),
    Rule(
        "empty-list",
        ERROR,
        N_("`{key}` has no entries."),
        N_("Add at least one entry, or remove the key if it is optional."),
        N_("An empty list teaches nothing."),
    ),
    Rule(
        "duplicate-example",
        ERROR,
        N_("This entry is the same as the one in line {first}."),
        N_("Remove it or change it."),
        N_("The same thing said twice counts once."),
    ),
    Rule(
        "too-many-problems",
        ERROR,
        N_("There are more than {count} problems; the rest is not shown."),
        N_("Mend these first, then check again."),
        N_("So many problems mostly come from one damaged place."),
    ),
    Rule(
        "bad-language-tag",
        ERROR,
        N_("`{tag}` is not a language tag."),
        N_("Write for example `language: en` or `language: es`."),
        N_("Languages are named by their BCP 47 tags: en, es, pt-BR, …"),
    ),
)
