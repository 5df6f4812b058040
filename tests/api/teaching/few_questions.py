"""`tiza teach` as the API starts it, with few questions in the exam: every stage is real."""

import sys

import pytest

from tiza.cli import main
from tiza.evaluate.exam import General

QUESTIONS = ["what is a list?", "what keeps things?"]

if __name__ == "__main__":
    general = [General(question, ("things",), "words", "en") for question in QUESTIONS]
    patch = pytest.MonkeyPatch()
    patch.setattr("tiza.evaluate.stage.bank", lambda lang: general if lang == "en" else [])
    patch.setattr("tiza.generate.brief.questions_for", lambda _base: QUESTIONS)
    sys.argv = ["tiza", "teach", *sys.argv[1:]]
    main()
