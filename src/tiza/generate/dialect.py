"""How one endpoint wants to be asked, as far as its refusals have told.

OpenAI's protocol has many servers, which differ in the members of a request that they accept. Knows
bodies of requests; sends nothing.
"""

from collections.abc import Mapping
from typing import Any

from tiza.generate.request import Request
from tiza.translation import N_

Json = dict[str, Any]

FORMATS = ("json_schema", "json_object", "")  # ways to ask for JSON, the strictest first
FORMAT_REFUSED = {400, 404, 422, 501}
DISLIKE = ("unsupported", "not support", "unrecognized", "unknown", "extra inputs", "unexpected")
OTHER_NAMES = {"max_tokens": "max_completion_tokens"}  # of OpenAI's own newer models
OPTIONAL = ("seed", "temperature")

# Told to a person, once each.
LESS_STRICT = N_("The teacher does not take JSON schemas; it is asked for JSON without one.")
IN_WORDS = N_("The teacher has no JSON mode; it is asked for JSON in words only.")
LEFT_OUT = N_("The teacher does not take {name}; it is asked without.")


class Dialect:
    """What is left out or said differently."""

    def __init__(self) -> None:
        self.format = 0  # index into FORMATS
        self._names: dict[str, str] = {}  # "" leaves a member out

    def body(self, request: Request, model: str, attempt: int, form: int) -> Json:
        """Write a request; `attempt` changes its seed, `form` is an index into FORMATS."""
        body: Json = {
            "model": model,
            "messages": request.messages,
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed + attempt,
        }
        for name, other in self._names.items():
            value = body.pop(name)
            if other:
                body[other] = value
        if request.schema is not None and FORMATS[form]:
            body["response_format"] = _response_format(FORMATS[form], request.schema)
        return body

    def settle(self, form: int) -> str:
        """Keep to a form that was accepted; return what to tell a person, if that is news."""
        if form <= self.format:
            return ""
        self.format = form
        return IN_WORDS if not FORMATS[form] else LESS_STRICT

    def leave_out(self, reason: str) -> str:
        """Learn from a refusal which member is unwelcome; return its name, "" for none."""
        words = reason.lower()
        if not any(word in words for word in DISLIKE):
            return ""
        for name in (*OTHER_NAMES, *OPTIONAL):
            if name in words and name not in self._names:
                self._names[name] = OTHER_NAMES.get(name, "")
                return name
        return ""


def _response_format(kind: str, schema: Mapping[str, Any]) -> Json:
    if kind == "json_object":
        return {"type": kind}
    return {
        "type": kind,
        "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)},
    }
