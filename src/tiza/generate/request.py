"""What a teacher is asked, and what it answers. Everything between the two is the teacher's."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

Message = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """One chat request. `schema` is the JSON Schema that the answer has to fit, if any."""

    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float = 0.0
    seed: int = 0
    schema: Mapping[str, Any] | None = None

    def key(self) -> str:
        """Return a fingerprint: two requests with the same key ask the same thing."""
        fields = [
            *(self.messages, self.max_tokens, self.temperature, self.seed),
            self.schema and dict(self.schema),
        ]
        text = json.dumps(fields, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Reply:
    """The teacher's text, and what it cost (tokens, as the endpoint counts them).

    `cut_off`: it had more to say than `max_tokens`.
    """

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cut_off: bool = False


Ask = Callable[[Request], Awaitable[Reply]]
