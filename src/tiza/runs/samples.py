"""Samples: the lines of `train.jsonl` and `exam.jsonl`.

`{"messages": [{"role", "content"}, …], "metadata": {…}, "id": "…"}`, as InstructLab, sdg_hub and
TRL write and read them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tiza.errors import SamplesInvalid
from tiza.runs.run import replace
from tiza.translation import N_

NOT_JSON = N_("is not JSON ({reason})")
NO_MESSAGES = N_('needs "messages": a list of objects with "role" and "content" as text')
WRONG_ORDER = N_("must alternate user and assistant, after at most one system message")
NO_ANSWER = N_("must end with an answer of the assistant that is not empty")
EMPTY = N_("there is not a single sample")


@dataclass(frozen=True, slots=True)
class Sample:
    """A conversation that ends with an answer. `metadata` says where it comes from."""

    messages: tuple[Mapping[str, str], ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""

    def line(self) -> str:
        """Return the sample as one line of JSON, without the line's end."""
        fields = {"messages": self.messages, "metadata": self.metadata, "id": self.id}
        return json.dumps(fields, ensure_ascii=False)


def read(path: Path) -> Iterator[Sample]:
    """Yield the samples of a file; lines that are blank are passed over.

    Raises:
        SamplesInvalid: naming the first line that is no sample, and why; or the file is missing
            or has none.

    """
    count = 0
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    count += 1
                    yield _sample(line, path, number)
    except (OSError, UnicodeDecodeError) as exc:
        raise SamplesInvalid(N_("cannot be read ({reason})"), path=path, reason=exc) from exc
    if not count:
        raise SamplesInvalid(EMPTY, path=path)


def write(samples: Iterable[Sample], path: Path) -> None:
    """Write a file of samples in one step; a crash leaves the old one."""
    replace(path, "".join(f"{sample.line()}\n" for sample in samples))


def _sample(line: str, path: Path, number: int) -> Sample:
    try:
        fields = json.loads(line)
    except ValueError as exc:
        raise SamplesInvalid(NOT_JSON, path=path, line=number, reason=exc) from exc
    messages = fields.get("messages") if isinstance(fields, dict) else None
    if not messages or not isinstance(messages, list) or not all(map(_is_message, messages)):
        raise SamplesInvalid(NO_MESSAGES, path=path, line=number)
    turns = [message["role"] for message in messages]
    if turns[0] == "system":
        turns = turns[1:]
    if turns != ["user", "assistant"] * (len(turns) // 2) + ["user"] * (len(turns) % 2):
        raise SamplesInvalid(WRONG_ORDER, path=path, line=number)
    if not turns or len(turns) % 2 or not messages[-1]["content"].strip():
        raise SamplesInvalid(NO_ANSWER, path=path, line=number)
    metadata = fields.get("metadata")
    return Sample(
        tuple({"role": m["role"], "content": m["content"]} for m in messages),
        metadata if isinstance(metadata, dict) else {},
        str(fields.get("id", "")),
    )


def _is_message(message: object) -> bool:
    return (
        isinstance(message, dict)
        and isinstance(message.get("role"), str)
        and isinstance(message.get("content"), str)
    )
