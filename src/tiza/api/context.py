"""Does a conversation fit the model's context? Asked of the engine, by its own token counts.

llama.cpp and vLLM answer the question at different addresses; both are spoken here. Most
conversations are so short that no question is needed: a token covers at least one byte.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tiza.api.engine_client import EngineClient, Json, is_llama_cpp, models_of
from tiza.errors import EngineError, InvalidRequest
from tiza.models.scope import Scope
from tiza.translation import N_

Message = dict[str, str]

TEMPLATE_BYTES_PER_MESSAGE = 64  # more than any chat template adds around one message
TEMPLATE_BYTES = 256
GOES_ON = {"add_generation_prompt": False, "continue_final_message": True}  # vLLM's names
TOO_LONG = N_(
    "The question alone needs {tokens} tokens; the model's context has {window}. "
    "Ask a shorter question."
)


@dataclass(frozen=True)
class Served:
    """What the engine serves: the model's name, its context in tokens, and who counts them."""

    model: str
    window: int
    counts_messages: bool  # vLLM counts messages; llama.cpp counts text
    more: Mapping[str, object] = field(default_factory=dict)  # in the body, beside the name
    without: Mapping[str, object] = field(default_factory=dict)  # the same, for the base alone
    scope: Scope | None = None  # which questions an adapter answers; None: all

    def addressed(self, messages: list[Message]) -> tuple[list[Message], Mapping[str, object]]:
        """Return a conversation as the engine is asked, and what else its body has.

        A question that the adapter was taught goes to it with a note, any other to the base.
        """
        if self.scope is None or not messages or messages[-1]["role"] != "user":
            return messages, self.more
        asked = [turn["content"] for turn in messages if turn["role"] == "user"]
        question, before = asked[-1], asked[-2] if len(asked) > 1 else ""
        if not self.scope.covers(question, before):
            return messages, self.without
        noted = {**messages[-1], "content": self.scope.noted(question, before)}
        return [*messages[:-1], noted], self.more


@dataclass(frozen=True)
class Prompt:
    """Messages that fit, the room left for the answer, and whether turns were left out."""

    messages: list[Message]
    max_tokens: int
    truncated: bool
    more: Mapping[str, object] = field(default_factory=dict)  # in the body, beside the messages


def served_models(listing: Json, default_window: int) -> list[Served]:
    """Read the engine's `/v1/models`.

    vLLM tells `max_model_len`, of an adapter only that of its `parent`; llama.cpp `meta.n_ctx`.
    """
    entries = list(models_of(listing))
    windows = {entry["id"]: _window(entry) for entry in entries}
    return [
        Served(
            entry["id"],
            windows[entry["id"]] or windows.get(str(entry.get("parent"))) or default_window,
            counts_messages=not is_llama_cpp(entry),
        )
        for entry in entries
    ]


def _window(entry: Json) -> int | None:
    meta = entry.get("meta")
    n_ctx = meta.get("n_ctx") if isinstance(meta, dict) else None
    window = entry.get("max_model_len") or n_ctx
    return window if isinstance(window, int) else None


async def fit(
    engine: EngineClient, served: Served, messages: list[Message], max_tokens: int, begun: str = ""
) -> Prompt:
    """Leave out the oldest turns until the prompt and the answer fit; see `_fit`.

    With what was `begun` of the answer the engine goes on after it: llama.cpp where the last
    message is the assistant's, vLLM where it is told so.

    Raises:
        InvalidRequest: what must stay fills the context.

    """
    if not begun:
        return await _fit(engine, served, messages, max_tokens)
    *history, question = messages
    both = {"role": "user", "content": f"{question['content']}\n{begun}"}  # to be counted
    prompt = await _fit(engine, served, [*history, both], max_tokens)
    answer = {"role": "assistant", "content": begun}
    return replace(
        prompt,
        messages=[*prompt.messages[:-1], question, answer],
        more=GOES_ON if served.counts_messages else {},
    )


async def _fit(
    engine: EngineClient, served: Served, messages: list[Message], max_tokens: int
) -> Prompt:
    """Leave out the oldest turns until the prompt and the answer fit the context.

    The first message (the system prompt) and the last (the question) always stay. At most half of
    the context is kept free for the answer, which gets what is left, up to `max_tokens`.

    Raises:
        InvalidRequest: the two alone fill the context.

    """
    if _bytes(messages) + max_tokens <= served.window:
        return Prompt(messages, max_tokens, truncated=False)
    room = served.window - min(max_tokens, served.window // 2)
    tokens, kept = await _longest_fitting(engine, served, messages, room)
    if tokens >= served.window:
        raise InvalidRequest(TOO_LONG, tokens=tokens, window=served.window)
    return Prompt(
        kept, min(max_tokens, served.window - tokens), truncated=len(kept) < len(messages)
    )


async def _longest_fitting(
    engine: EngineClient, served: Served, messages: list[Message], room: int
) -> tuple[int, list[Message]]:
    """Keep as many of the newest turns as fit into `room` tokens; return the count and the rest.

    By bisection, the whole history first: a count costs a request, and there may be 100 turns.
    """
    system, *history, question = messages
    kept = [system, question]
    tokens = await _count(engine, served, kept)
    fitting, too_many, newest = 0, len(history) + 1, len(history)
    while too_many - fitting > 1 and tokens < room:
        tried = [system, *_newest(history, newest), question]
        counted = await _count(engine, served, tried)
        if counted <= room:
            fitting, tokens, kept = newest, counted, tried
        else:
            too_many = newest
        newest = (fitting + too_many) // 2
    return tokens, kept


def _newest(history: list[Message], number: int) -> list[Message]:
    """Return that many turns; fewer if the first were an answer, which many templates refuse."""
    turns = history[len(history) - number :]
    if number < len(history) and turns and turns[0]["role"] == "assistant":
        return turns[1:]
    return turns


async def _count(engine: EngineClient, served: Served, messages: list[Message]) -> int:
    if served.counts_messages:
        body: Json = {"model": served.model, "messages": messages, "add_generation_prompt": True}
        count = (await engine.ask("POST", "/tokenize", body)).get("count")
    else:
        prompt = (await engine.ask("POST", "/apply-template", {"messages": messages})).get("prompt")
        if not isinstance(prompt, str):
            raise EngineError(reason="no prompt")
        body = {"content": prompt, "add_special": True, "parse_special": True}
        tokens = (await engine.ask("POST", "/tokenize", body)).get("tokens")
        count = len(tokens) if isinstance(tokens, list) else None
    if not isinstance(count, int):
        raise EngineError(reason="no token count")
    return count


def _bytes(messages: list[Message]) -> int:
    """Return an upper bound of the prompt's tokens."""
    contents = sum(len(m["content"].encode()) for m in messages)
    return contents + TEMPLATE_BYTES_PER_MESSAGE * len(messages) + TEMPLATE_BYTES
