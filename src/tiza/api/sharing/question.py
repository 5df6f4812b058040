"""When two questions are the same: the engine would be asked the same, but for blanks.

The key is made of the very body that the engine gets, so nothing that changes an answer can be
forgotten: model, adapter, system prompt with its language, notes, parameters.
"""

import re
import unicodedata
from hashlib import blake2b

import orjson

from tiza.api.engine_client import Json
from tiza.engines.serving import Serving

BLANKS = re.compile(r"(?<=\S)[^\S\n]+")  # but what indents a line: code means it


def key_of(serving: Serving, path: str, body: Json) -> bytes:
    """Return what is equal for equal questions to the same engine."""
    messages = [{**each, "content": normalised(each["content"])} for each in body["messages"]]
    engine = [serving.number, serving.url, path]
    asked = orjson.dumps([engine, body | {"messages": messages}], option=orjson.OPT_SORT_KEYS)
    return blake2b(asked, digest_size=16).digest()


def normalised(text: str) -> str:
    """Return a text in one Unicode form, without blanks that mean nothing.

    Case and signs stay: Polish is not polish, and `list` not `List`.
    """
    one_form = unicodedata.normalize("NFC", text)
    return "\n".join(BLANKS.sub(" ", line).rstrip() for line in one_form.split("\n")).strip()
