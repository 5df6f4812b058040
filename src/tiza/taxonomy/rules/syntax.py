"""Rules on YAML itself: what keeps the file from being read at all."""

from tiza.taxonomy.rules.rule import Rule, Severity
from tiza.translation import N_

ERROR, WARNING, INFO = Severity

SYNTAX_RULES = (
    Rule(
        "yaml-syntax",
        ERROR,
        N_("The file cannot be read from here on: {problem}."),
        N_("Compare this line and the one above with the guide; often a mark or a space is wrong."),
        N_("The YAML reader gave up; its own words are in the message."),
    ),
    Rule(
        "tab-indentation",
        ERROR,
        N_("The line is indented with a tab."),
        N_("Use spaces: replace every tab at the beginning of a line by two spaces."),
        N_("YAML does not allow tabs in an indentation."),
    ),
    Rule(
        "bad-indentation",
        ERROR,
        N_("The line does not begin in the same column as its neighbours."),
        N_("Put keys that belong together exactly below each other, with spaces."),
        N_("In YAML the indentation says what belongs to what."),
    ),
    Rule(
        "colon-in-text",
        ERROR,
        N_("The text contains a colon followed by a space, which YAML takes for a key."),
        N_('Put the text between double quotes: "…", or write it below the key after `>-`.'),
        N_("A colon and a space separate a key from its value."),
    ),
    Rule(
        "no-space-after-colon",
        ERROR,
        N_("There is no space after the colon of `{key}`."),
        N_("Write `{key}: ` with a space, then the value."),
        N_("Without the space YAML sees one long word instead of a key and its value."),
    ),
    Rule(
        "line-without-key",
        ERROR,
        N_("This line is neither `key: value` nor part of a text."),
        N_("If it continues the text above, indent it further than the key of that text."),
        N_("A text of several lines must be indented under its key."),
    ),
    Rule(
        "unclosed-quote",
        ERROR,
        N_("The quotation mark that opens here is never closed."),
        N_("Close it with {quote}. If {quote} belongs to the text, put the text below after `>-`."),
        N_("The rest of the file would become one single text."),
    ),
    Rule(
        "text-after-quote",
        ERROR,
        N_("There is more text after the closing quotation mark."),
        N_("Put the whole text between quotation marks, the others inside written as {inner}."),
        N_("A value that begins with a quotation mark ends with the next one."),
    ),
    Rule(
        "reserved-character",
        ERROR,
        N_("The text begins with {char}, which has a meaning of its own in YAML."),
        N_('Put the text between double quotes: "…"'),
        N_("The characters @ ` % & * ! | > [ ] { } # , ? - steer YAML at the start of a value."),
    ),
    Rule(
        "unknown-escape",
        ERROR,
        N_("The backslash here does not form a sign that YAML knows."),
        N_("Write the backslash twice, or put the text between single quotes '…'."),
        N_("Between double quotes a backslash begins a sign such as \\n."),
    ),
    Rule(
        "unprintable-character",
        ERROR,
        N_("The line contains the invisible character {code}."),
        N_("Delete it; it often comes with text that was copied from a PDF or a web page."),
        N_("YAML does not allow control characters."),
    ),
    Rule(
        "yaml-alias",
        ERROR,
        N_("The lesson refers to another part of the file with `*`."),
        N_("Write the text out in full; if the text itself begins with *, put it in quotes."),
        N_("References can blow a small file up to a gigantic one, so lessons do without."),
    ),
    Rule(
        "yaml-tag",
        ERROR,
        N_("The lesson uses the YAML tag {tag}."),
        N_("Remove it; a text that begins with ! goes in quotes."),
        N_("Tags can make a program run foreign code, so lessons do without."),
    ),
    Rule(
        "too-deep",
        ERROR,
        N_("Lists and keys are nested more than {limit} levels deep."),
        N_("Keep to the levels of the guide; a text with many brackets goes in quotes."),
        N_("No lesson needs so many levels; damaged files have them."),
    ),
    Rule(
        "too-many-values",
        ERROR,
        N_("The file holds more than {limit} values."),
        N_("Split the lesson into several folders."),
        N_("A file this large is never a lesson, and reading it would make everybody wait."),
    ),
    Rule(
        "several-documents",
        ERROR,
        N_("A second YAML document begins here."),
        N_("Remove the line `---`, or move what follows into a folder of its own."),
        N_("One file is one lesson; what follows would be lost."),
    ),
    Rule(
        "duplicate-key",
        ERROR,
        N_("The key `{key}` stands here for the second time; the first is in line {first}."),
        N_("Keep one of them. If a new example begins here, put `- ` before its first key."),
        N_("One of the two values would be lost without a word."),
    ),
)
