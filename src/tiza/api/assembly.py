"""From the chunks of a stream to the plain answer, in OpenAI's protocol.

Engines are asked for streams only: llama.cpp notices at the next chunk that nobody waits any more,
in a plain answer often not before its end (its wait for a result starts again with every result of
anybody).
"""

from collections import defaultdict

from tiza.api.engine_client import Json
from tiza.errors import EngineError

KEPT = ("id", "created", "model", "system_fingerprint")


class Assembly:
    """One answer put together; `chat` tells messages from texts."""

    def __init__(self, *, chat: bool) -> None:
        self._chat = chat
        self._document: Json = {"object": "chat.completion" if chat else "text_completion"}
        self._parts: defaultdict[str, list[str]] = defaultdict(list)
        self._finish_reason: object = None

    def add(self, event: Json) -> None:
        """Add what one event brings.

        Raises:
            EngineError: it has neither text nor counts.

        """
        self._document |= {name: event[name] for name in (*KEPT, "usage") if event.get(name)}
        for choice in (event["choices"] or [])[:1]:
            try:
                self._finish_reason = choice.get("finish_reason") or self._finish_reason
                self._add_parts(choice["delta"] if self._chat else {"text": choice["text"]})
            except (AttributeError, KeyError, TypeError) as exc:
                raise EngineError(reason="a choice without text") from exc

    def document(self) -> Json:
        """Return the plain answer."""
        parts = {name: "".join(pieces) for name, pieces in self._parts.items()}
        message = {"role": "assistant", "content": "", **parts}
        content = {"message": message} if self._chat else {"text": parts.get("text", "")}
        choice = {"index": 0, **content, "logprobs": None, "finish_reason": self._finish_reason}
        return self._document | {"choices": [choice]}

    def _add_parts(self, delta: Json) -> None:
        for name, text in delta.items():
            if isinstance(text, str) and name != "role":
                self._parts[name].append(text)
