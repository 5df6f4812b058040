"""Permission to ask: taken before an answer, settled after it, whatever became of it.

While Redis is away guests are refused, since nobody could count them; people with an account are
counted by each process for itself.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from tiza.api.instruments import Instruments
from tiza.api.limits.headers import written
from tiza.api.limits.here import Here
from tiza.api.limits.policy import REQUESTS, STREAMS, TOKENS, Policy
from tiza.api.limits.quota import Costs, Left, Quota, left, wait
from tiza.api.stats import Answer
from tiza.api.visit import Visit
from tiza.errors import LimitsUnavailable, RateLimited, StreamsTaken, TokensSpent
from tiza.settings import Settings

if TYPE_CHECKING:
    from tiza.api.limits.shared import Shared  # loads redis, which is needed only with REDIS_URL

NOTHING = {REQUESTS: 0, TOKENS: 0, STREAMS: 0}
REFUSALS = {REQUESTS: RateLimited, TOKENS: TokensSpent, STREAMS: StreamsTaken}
Give = Callable[[Costs], None]


class Ticket:
    """What one answer has reserved."""

    def __init__(self, tokens: int, give: Give) -> None:
        self._tokens, self._give = tokens, give
        self._open = True

    def settle(self, used: int) -> None:
        """Free the place and give back the tokens that were not used; only the first time."""
        self._close({REQUESTS: 0, TOKENS: self._tokens - used, STREAMS: 1})

    def undo(self) -> None:
        """Give everything back: there was nothing to answer."""
        self._close({REQUESTS: 1, TOKENS: self._tokens, STREAMS: 1})

    @contextmanager
    def charging(self, answer: Answer) -> Iterator[None]:
        """Settle at the end of the block with what the answer has cost."""
        try:
            yield
        finally:
            self.settle(answer.charged)

    @contextmanager
    def undone_on_failure(self) -> Iterator[None]:
        """Give everything back if the block fails."""
        try:
            yield
        except BaseException:
            self.undo()
            raise

    def _close(self, back: Costs) -> None:
        if self._open:
            self._open = False
            self._give(back)


class Limits:
    """The limits of one process, or through Redis of all. Use as an async context manager."""

    def __init__(self, settings: Settings, instruments: Instruments) -> None:
        self._policy, self._here, self._limited = Policy(settings), Here(), instruments.limited
        self._url = settings.redis_url.get_secret_value()
        self._shared: Shared | None = None

    async def __aenter__(self) -> Self:
        if self._url:
            from tiza.api.limits.shared import Shared

            self._shared = Shared(self._url)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._shared is not None:
            await self._shared.close()

    @property
    def reaches_redis(self) -> bool | None:
        """Whether all processes are counted together; None: there is no Redis."""
        return None if self._shared is None else not self._shared.is_away

    async def take(self, visit: Visit, tokens: int) -> Ticket:
        """Reserve a request, a place and that many tokens; leave headers that tell what is left.

        Raises:
            RateLimited: something of it is used up.
            LimitsUnavailable: a guest asks and nobody can count.

        """
        quotas = self._policy.quotas(visit.caller)
        if not quotas:
            return Ticket(tokens, _forget)
        costs = {REQUESTS: 1, TOKENS: tokens, STREAMS: 1}
        fits, levels, give = await self._take(quotas, costs, visit)
        if not fits:
            visit.headers.update(written(left(quotas, levels)))
            lacking, seconds = wait(quotas, levels, costs)
            self._limited.labels(lacking.name).inc()
            raise REFUSALS[lacking.name](seconds=seconds)
        after = [q.level(at, costs[q.name]) for q, at in zip(quotas, levels, strict=True)]
        visit.headers.update(written(left(quotas, after)))
        return Ticket(tokens, give)

    async def standing(self, visit: Visit) -> Mapping[str, Mapping[str, int]]:
        """Return what is left for a caller: `limit`, `remaining` and times in seconds, by name.

        Raises:
            LimitsUnavailable: a guest asks and nobody can count.

        """
        quotas = self._policy.quotas(visit.caller)
        if not quotas:
            return {}
        _, levels, _ = await self._take(quotas, NOTHING, visit)
        return {each.quota.name: _told(each) for each in left(quotas, levels)}

    async def _take(
        self, quotas: Sequence[Quota], costs: Costs, visit: Visit
    ) -> tuple[bool, list[float], Give]:
        shared, lease = self._shared, secrets.token_hex(8) if costs[STREAMS] else ""
        if shared is not None:
            try:
                fits, levels = await shared.take(quotas, costs, lease)
            except LimitsUnavailable:
                if not visit.caller.is_known:
                    raise
            else:
                return fits, levels, lambda back: shared.give(quotas, back, lease)
        fits, levels = self._here.take(quotas, costs)
        return fits, levels, lambda back: self._here.give(quotas, back)


def _told(of: Left) -> dict[str, int]:
    told = {"limit": of.quota.amount, "remaining": of.remaining}
    if of.quota.seconds:
        told |= {"window_seconds": of.quota.seconds, "reset_seconds": of.reset}
    return told


def _forget(_: Costs) -> None:
    """Take back what was never counted."""
