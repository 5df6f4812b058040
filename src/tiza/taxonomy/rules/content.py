"""Rules on what a lesson says: the ones that only practice knows."""

from tiza.taxonomy.rules.rule import Rule, Severity
from tiza.translation import N_

ERROR, WARNING, INFO = Severity

CONTENT_RULES = (
    Rule(
        "duplicate-question",
        WARNING,
        N_("The same question stands in {first}."),
        N_("Keep the better one, or ask for something else here."),
        N_("A question that is asked twice, perhaps with two answers, confuses the model."),
    ),
    Rule(
        "near-duplicate-question",
        WARNING,
        N_("Almost the same question stands in {first}."),
        N_("Keep the better one, or write this one as one of its paraphrases."),
        N_("Questions of the same words in another order are found all over the tree."),
    ),
    Rule(
        "repeated-paraphrase",
        INFO,
        N_("This paraphrase only repeats its question."),
        N_("Ask in other words, as another pupil would."),
        N_("A paraphrase helps when its words are different."),
    ),
    Rule(
        "exam-repeats-seed",
        ERROR,
        N_("This exam question is already taught in {first}."),
        N_("Ask it in other words: the exam is for phrasings that were never taught."),
        N_("An exam with questions known by heart says nothing about what was understood."),
    ),
    Rule(
        "unsupported-answer",
        WARNING,
        N_("The context does not seem to support this answer (not found there: {words})."),
        N_("Add the missing fact to the context, or correct the answer."),
        N_(
            "What a knowledge lesson answers must be in the context, or the model learns to invent."
        ),
    ),
    Rule(
        "context-too-long",
        WARNING,
        N_("The context has about {count} tokens; {limit} are recommended."),
        N_("Shorten it, or split it into two contexts with three questions each."),
        N_("Long contexts leave the teacher model little room for questions."),
    ),
    Rule(
        "pair-too-long",
        WARNING,
        N_("Question and answer have about {count} tokens; {limit} are recommended."),
        N_("Answer in a few sentences, or ask two questions."),
        N_("Short answers are learned better and read better on a phone."),
    ),
    Rule(
        "mixed-examples",
        WARNING,
        N_("This example has no context, but others of this lesson have one."),
        N_("Give every example a context, or none; two kinds are two lessons."),
        N_("Skills with and without contexts are generated differently; a mixture loses some."),
    ),
    Rule(
        "wrong-language",
        WARNING,
        N_("The lesson declares the language `{declared}`, but this text looks like `{seen}`."),
        N_("Correct the line `language:`, or move the text into a lesson of its own language."),
        N_("The declared language decides in which language the teacher model writes."),
    ),
)
