"""Files of samples: what is read is what was written, and a bad line is named."""

import json
from pathlib import Path

import pytest

from tiza.errors import SamplesInvalid
from tiza.runs.samples import Sample, read, write

USER = {"role": "user", "content": "What is chalk?"}
ASSISTANT = {"role": "assistant", "content": "Soft, white «limestone».\nIt writes."}


def test_samples_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Line breaks, accents and metadata survive the file."""
    path = tmp_path / "train.jsonl"
    samples = [
        Sample((USER, ASSISTANT), {"lesson": "a", "lines": [3]}, "1"),
        Sample((USER, ASSISTANT)),
    ]

    write(samples, path)

    assert list(read(path)) == samples


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "is not JSON"),
        ("[]", 'needs "messages"'),
        ('{"messages": []}', 'needs "messages"'),
        ('{"messages": [{"role": "user"}]}', 'needs "messages"'),
        (json.dumps({"messages": [ASSISTANT, USER]}), "alternate"),
        (json.dumps({"messages": [USER, USER, ASSISTANT]}), "alternate"),
        (json.dumps({"messages": [USER]}), "end with an answer"),
        (json.dumps({"messages": [USER, {**ASSISTANT, "content": " "}]}), "end with an answer"),
        (json.dumps({"messages": [{**USER, "role": "system"}]}), "end with an answer"),
    ],
)
def test_a_line_that_is_no_sample_is_named(tmp_path: Path, line: str, says: str) -> None:
    """The error has the file, the line and what is wrong with it."""
    path = tmp_path / "train.jsonl"
    path.write_text(f"{Sample((USER, ASSISTANT)).line()}\n\n{line}\n")

    with pytest.raises(SamplesInvalid, match=rf"train\.jsonl:3: .*{says}"):
        list(read(path))


def test_a_file_without_samples_is_refused(tmp_path: Path) -> None:
    """An empty file is a mistake, as is one that is not there."""
    path = tmp_path / "train.jsonl"
    with pytest.raises(SamplesInvalid, match="cannot be read"):
        list(read(path))
    path.write_text("\n")
    with pytest.raises(SamplesInvalid, match="not a single sample"):
        list(read(path))
