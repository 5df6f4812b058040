"""`tiza data feedback`, as a teacher types it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.store.talk import conversation
from tiza.cli.data import data
from tiza.store.records import Feedback
from tiza.store.store import opened


async def rate(url: str) -> None:
    """Have two answers rated, one of them corrected."""
    async with opened(url) as store:
        person, _ = await store.people.welcome()
        begun = await conversation(store, person, "¿Qué es?", "Eso.", "Why?", "So.")
        down = Feedback("down", "wrong", "Otra cosa.")
        await store.messages.rate(person, begun[0].answer.id, down)
        await store.messages.rate(person, begun[1].answer.id, Feedback("up"))


async def audited(url: str) -> list[str]:
    """Return what the audit log says was done."""
    async with opened(url) as store:
        return [each.action for each in await store.audit.newest()]


def printed(*words: str) -> list[dict[str, Any]]:
    """Type a command, and read the lines that it prints."""
    done = CliRunner().invoke(data, ["feedback", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.output.splitlines()]


def test_pairs_of_lessons_are_printed_when_answers_were_corrected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One pair a line, with the corrected answer; all rated ones if wanted; the audit knows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAR_PATH", str(tmp_path))
    url = f"sqlite:///{tmp_path / 'tiza.db'}"
    asyncio.run(rate(url))

    (pair,) = printed()
    every = printed("--all")

    assert (pair["question"], pair["answer"]) == ("¿Qué es?", "Otra cosa.")
    assert pair["metadata"]["model_answer"] == "Eso."
    assert [each["answer"] for each in every] == ["Otra cosa.", "So."]
    assert [each["metadata"]["corrected"] for each in every] == [True, False]
    assert asyncio.run(audited(url)) == ["data.exported"] * 2
