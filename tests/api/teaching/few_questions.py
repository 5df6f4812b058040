"""`tiza teach` as the API starts it, with few questions in the exam: every stage is real."""

import sys

import tiza.evaluate.stage as evaluate
from tiza.cli import main
from tiza.evaluate.exam import General
from tiza.generate import brief

QUESTIONS = ["what is a list?", "what keeps things?"]

if __name__ == "__main__":
    general = [General(question, ("things",), "words", "en") for question in QUESTIONS]
    evaluate.bank = lambda language: general if language == "en" else []
    brief.questions_for = lambda _base: QUESTIONS  # type: ignore[assignment]  # few are enough
    sys.argv = ["tiza", "teach", *sys.argv[1:]]
    main()
