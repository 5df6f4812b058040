"""Put what others wrote into a request as material, so that it cannot pass for the request itself.

Each text stands between two lines with a mark that no text of the request contains, and between
two sentences that say what it is. The mark follows from the texts, so the same request has the same
one. What stands inside can neither close a fence nor, with the control words of chat templates,
its message. A model may still obey what it reads there: `injection` looks for that in what it
wrote.
"""

import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b

MARK_BYTES = 6
MARK = re.compile(r"<<<[0-9a-f]{12}\b|\b[0-9a-f]{12}>>>")
# Control words that tokenizers turn into the borders of messages, and marks of other requests: a
# blank inside makes them plain text.
BORDER = re.compile(
    r"<(?=[|｜]|/?s>|(?:start|end)_of_turn>|[be]os>|</?SYS>)|\[(?=/?INST\])"  # noqa: RUF001  # DeepSeek's bar
    r"|<<(?=<[0-9a-f]{12})|[0-9a-f]{12}>>(?=>)"
)
SIGNS = frozenset("<[>")


def mark(texts: Iterable[str]) -> str:
    """Return a mark that occurs in none of the texts, always the same for the same ones."""
    whole = "\0".join(texts)
    found = _digest(whole)
    while found in whole:
        found = _digest(found + whole)
    return found


def fenced(text: str, label: str, found: str, words: Mapping[str, str]) -> str:
    """Return a text in its fence; `words` has the sentences `before` and `after`."""
    lines = (
        words["before"].format(label=label),
        f"<<<{found}",
        BORDER.sub(r"\g<0> ", text.strip()) if SIGNS.intersection(text) else text.strip(),
        f"{found}>>>",
        words["after"].format(label=label),
    )
    return "\n".join(lines)


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=MARK_BYTES).hexdigest()
