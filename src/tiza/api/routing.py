"""Which of several engines a conversation goes to: the one that has its beginning cached.

Rendezvous hashing (Thaler and Ravishankar 1998, "Using name-based mappings to increase hit
rates"): every engine draws a number for a beginning, and the lowest wins. So all processes agree
without talking, an engine that goes gives up its own conversations only, and has them again when it
comes back. An engine that has far more to do than the others is left out for as long (after
Mirrokni et al. 2016, "Consistent hashing with bounded loads"): not all may go to one because all
begin with hello.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from math import ceil

from tiza.api.context import Message
from tiza.api.engine import Engine

FEW = 8  # answers at once that never are too many for an engine
MUCH = 1.5  # times its share of all answers that are


def beginning_of(messages: Sequence[Message]) -> str:
    """Return what a conversation begins with: all up to the first question.

    It stays the same as the conversation grows, and what has the same in common has a cached
    prefix in common.
    """
    begun: list[str] = []
    for message in messages:
        begun.append(message["content"])
        if message["role"] == "user":
            break
    return "\0".join(begun)


def ranked(
    engines: Sequence[Engine], beginning: str, users: Mapping[Engine, int]
) -> Sequence[Engine]:
    """Return the engines, best first; `users`: how many requests each has now."""
    most = max(FEW, ceil(MUCH * (sum(users.values()) + 1) / len(engines)))

    def rank(engine: Engine) -> tuple[bool, bytes]:
        return users.get(engine, 0) >= most, _drawn(engine.serving.url, beginning)

    return sorted(engines, key=rank)


def _drawn(url: str, beginning: str) -> bytes:
    return blake2b(f"{url}\0{beginning}".encode(), digest_size=8).digest()
