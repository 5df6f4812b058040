"""Questions in a conversation: kept with their answer first, then answered whoever listens.

Sending the same again under the same Idempotency-Key changes nothing: it finds what the first
brought. Only where an answer failed before it began, another attempt is made, as its sibling.
"""

from collections.abc import Awaitable, Callable

from tiza.api.bounds import check_chat
from tiza.api.chat import Generation
from tiza.api.history import newest_turns
from tiza.api.limits.limits import Ticket
from tiza.api.schemas import AnswerRequest, ChatRequest, EditRequest
from tiza.api.state import State
from tiza.api.streams.log import Log
from tiza.api.visit import Visit
from tiza.errors import StoreUnavailable
from tiza.store.records import Exchange, Person, Wanted
from tiza.store.store import Store


class Asking:
    """One person's requests for answers; `key` is the Idempotency-Key or empty.

    All methods raise MessageNotFound or ConversationNotFound for what is not the person's,
    KeyReused, InvalidRequest, and what says that nothing can be taken now.
    """

    def __init__(self, state: State, store: Store, person: Person, visit: Visit, key: str) -> None:
        self._state, self._person, self._visit, self._key = state, person, visit, key
        self._messages = store.messages

    async def ask(
        self, conversation_id: str, request: EditRequest, parent_id: str | None = None
    ) -> Log:
        """Ask a question after an answer, or after the end of the branch that is shown."""
        ticket = await self._permitted(request, request.message)
        return await self._answer(
            request,
            ticket,
            lambda wanted: self._messages.ask(
                self._person,
                conversation_id,
                request.message,
                wanted,
                parent_id=parent_id,
                key=self._key,
            ),
        )

    async def edit(self, question_id: str, request: EditRequest) -> Log:
        """Ask a question in other words."""
        ticket = await self._permitted(request, request.message)
        return await self._answer(
            request,
            ticket,
            lambda wanted: self._messages.edit(
                self._person, question_id, request.message, wanted, key=self._key
            ),
        )

    async def regenerate(self, answer_id: str, request: AnswerRequest) -> Log:
        """Ask for another answer to the same question."""
        ticket = await self._permitted(request, "?")
        return await self._answer(
            request,
            ticket,
            lambda wanted: self._messages.regenerate(
                self._person, answer_id, wanted, key=self._key
            ),
            fresh=True,
        )

    async def resume(self, answer_id: str, request: AnswerRequest) -> Log:
        """Have an interrupted answer gone on with; any other is found as it is."""
        ticket = await self._permitted(request, "?")
        with ticket.undone_on_failure():
            exchange = await self._messages.resume(self._person, answer_id)
        if exchange.repeated:
            ticket.undo()
            return await self._state.streams.open(self._person, answer_id)
        return self._begin(request, exchange, ticket, fresh=True)

    async def _permitted(self, request: AnswerRequest, message: str) -> Ticket:
        """Refuse what cannot be answered before it is kept."""
        settings = self._state.settings
        check_chat(_chat(request, message), settings)
        self._state.admission.check()
        most_tokens = request.max_tokens or settings.default_max_tokens
        return await self._state.limits.take(self._visit, most_tokens)

    async def _answer(
        self,
        request: AnswerRequest,
        ticket: Ticket,
        keep: Callable[[Wanted], Awaitable[Exchange]],
        *,
        fresh: bool = False,
    ) -> Log:
        streams, person = self._state.streams, self._person
        wanted = Wanted(request.model or "", request.parameters())
        with ticket.undone_on_failure():
            async with streams.one_at_a_time(person, self._key):
                try:
                    exchange = await keep(wanted)
                except StoreUnavailable:
                    streams.doubt()
                    raise
                while exchange.repeated:
                    answer = exchange.answer
                    if answer.state != "failed":
                        ticket.undo()
                        return await streams.open(person, answer.id)
                    exchange = await self._messages.regenerate(
                        person, answer.id, wanted, key=f"again {answer.id}"
                    )
                return self._begin(request, exchange, ticket, fresh=fresh)

    def _begin(
        self, request: AnswerRequest, exchange: Exchange, ticket: Ticket, *, fresh: bool
    ) -> Log:
        question, answer = exchange.question, exchange.answer
        chat, visit = _chat(request, question.text), self._visit
        generation = Generation(chat, self._state, visit, ticket, fresh=fresh)

        async def remember() -> None:
            before = question.parent_id
            branch = await self._messages.branch(self._person, before) if before else []
            turns, complete = newest_turns(branch, self._state.settings)
            generation.remember(turns, complete=complete, begun=answer.text)

        return self._state.streams.begin(self._person, answer, generation, remember)


def _chat(request: AnswerRequest, message: str) -> ChatRequest:
    return ChatRequest(
        message=message,
        max_tokens=request.max_tokens,
        temperature=request.temperature,
        model=request.model,
        language=request.language,
    )
