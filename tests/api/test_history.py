"""What of a conversation goes along with its next question."""

from datetime import UTC, datetime

from tiza.api.history import newest_turns
from tiza.settings import Settings
from tiza.store.records import Message, Role


def settings(**more: int) -> Settings:
    """Make settings that know nothing of this machine."""
    return Settings(_env_file=None, **more)  # type: ignore[call-arg,arg-type]  # pydantic-settings' own argument


def said(role: Role, text: str) -> Message:
    """Make a message."""
    return Message("", "", None, role, text, "complete", datetime.now(UTC))


BRANCH = [
    said("user", "one?"),
    said("assistant", "One."),
    said("user", "two?"),
    said("assistant", " "),
    said("user", "three?"),
    said("assistant", "Three."),
]


def test_unanswered_questions_stay_out_when_a_history_is_made() -> None:
    """Turns alternate, as chat templates want them."""
    turns, complete = newest_turns(BRANCH, settings())
    assert [turn.content for turn in turns] == ["one?", "One.", "three?", "Three."]
    assert complete


def test_oldest_exchanges_go_first_when_the_bounds_are_reached() -> None:
    """Exchanges stay whole, the newest stay, and it is told that some are missing."""
    newest = ["three?", "Three."]
    for bound in ({"max_history_turns": 3}, {"max_history_chars": 15}):
        turns, complete = newest_turns(BRANCH, settings(**bound))
        assert [turn.content for turn in turns] == newest
        assert not complete
    assert newest_turns(BRANCH, settings(max_history_turns=0)) == ([], False)
