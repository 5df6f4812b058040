"""What of a conversation goes along with its next question. Knows neither store nor engine."""

from collections.abc import Sequence
from itertools import pairwise

from tiza.api.schemas import Turn
from tiza.settings import Settings
from tiza.store.records import Message


def newest_turns(branch: Sequence[Message], settings: Settings) -> tuple[list[Turn], bool]:
    """Return the newest exchanges that fit the bounds of a request, oldest first, and if it is all.

    Questions without an answer stay out: two turns of one role are refused by many templates.
    """
    exchanges = [
        (question.text, answer.text)
        for question, answer in pairwise(branch)
        if question.role == "user" and answer.role == "assistant" and answer.text.strip()
    ]
    turns: list[Turn] = []
    room = settings.max_history_chars
    for question, answer in reversed(exchanges):
        room -= len(question) + len(answer)
        if room < 0 or len(turns) + 2 > settings.max_history_turns:
            return turns, False
        turns = [
            Turn(role="user", content=question),
            Turn(role="assistant", content=answer),
            *turns,
        ]
    return turns, True
