"""A limit on what a run may cost, in tokens, kept before each request and not after it."""

from tiza.errors import TizaError
from tiza.generate.request import Ask, Reply, Request
from tiza.taxonomy.content import CHARACTERS_PER_TOKEN


class BudgetSpent(TizaError):
    """A request was not sent: with it the run could cost more than it may."""


class Budget:
    """Stands before a teacher; `spent` counts tokens of prompts and answers."""

    def __init__(self, limit: int | None, ask: Ask) -> None:
        self._limit, self._ask = limit, ask
        self.spent = self._reserved = 0
        self.refused = False

    async def ask(self, request: Request) -> Reply:
        """Ask, if the longest possible answer is still within the limit.

        Raises:
            BudgetSpent: it is not. Requests on their way are not touched.

        """
        longest = prompt_tokens(request) + request.max_tokens
        if self._limit is not None and self.spent + self._reserved + longest > self._limit:
            self.refused = True
            raise BudgetSpent
        self._reserved += longest
        try:
            reply = await self._ask(request)
        finally:
            self._reserved -= longest
        self.spent += reply.prompt_tokens + reply.completion_tokens
        return reply


def prompt_tokens(request: Request) -> int:
    """Estimate the tokens of a request's messages."""
    return sum(len(message["content"]) for message in request.messages) // CHARACTERS_PER_TOKEN
