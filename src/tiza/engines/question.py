"""A real question to an engine that has just started, and whether what it says is an answer."""

import json
import urllib.request
from gettext import gettext as _
from http.client import HTTPException
from typing import Any

from tiza.engines.engine import Address
from tiza.engines.serving import Serving
from tiza.engines.supervisor import direct

QUESTION = "What is water?"
MAX_TOKENS = 16


def refusal(serving: Serving, address: Address, seconds: float) -> str:
    """Ask the active model; return what came instead of an answer, "" after a good one."""
    body = {
        "model": serving.active,
        "messages": [{"role": "user", "content": QUESTION}],
        "max_tokens": MAX_TOKENS,
        "temperature": 0,
        **serving.asked_for(serving.active),
    }
    headers = {"Content-Type": "application/json"}
    if address.api_key:
        headers["Authorization"] = f"Bearer {address.api_key}"
    request = urllib.request.Request(  # noqa: S310  # our own address
        f"{address.url}/v1/chat/completions", json.dumps(body).encode(), headers
    )
    try:
        with direct.open(request, timeout=seconds) as response:
            answer = json.load(response)
        return "" if _text(answer).strip() else _("an empty answer")
    except (OSError, HTTPException, ValueError, KeyError, TypeError, IndexError) as exc:
        return str(exc) or type(exc).__name__


def _text(answer: Any) -> str:
    return str(answer["choices"][0]["message"]["content"] or "")
