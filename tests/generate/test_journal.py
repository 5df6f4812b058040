"""The journal and the budget: what was answered is kept, what would cost too much is not asked."""

import subprocess
import sys
from pathlib import Path

import pytest

from tiza.errors import CannotWrite
from tiza.generate.budget import Budget, BudgetSpent
from tiza.generate.journal import Journal
from tiza.generate.request import Reply, Request


def request(text: str, max_tokens: int = 10) -> Request:
    """Make a request that says something."""
    return Request(({"role": "user", "content": text},), max_tokens)


class Teacher:
    """Answers with the question in capitals and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, request: Request) -> Reply:
        """Answer."""
        self.asked.append(request.messages[0]["content"])
        return Reply(self.asked[-1].upper(), 3, 2)


async def test_an_answered_request_is_not_sent_again_by_the_next_process(tmp_path: Path) -> None:
    """The file alone is enough: an answer is found again with its cost."""
    teacher = Teacher()
    path = tmp_path / "replies.jsonl"
    with Journal(path, teacher.ask) as journal:
        await journal.ask(request("¿qué?\n\ud800"))
        await journal.ask(request("b"))

    with Journal(path, teacher.ask) as journal:
        assert await journal.ask(request("¿qué?\n\ud800")) == Reply("¿QUÉ?\n\ud800", 3, 2)
        assert await journal.ask(request("c")) == Reply("C", 3, 2)
        assert (len(journal), journal.tokens) == (3, 15)

    assert teacher.asked == ["¿qué?\n\ud800", "b", "c"]


def test_requests_that_differ_in_anything_have_keys_of_their_own() -> None:
    """Text, length, temperature, seed and schema are all part of what was asked."""
    message = ({"role": "user", "content": "a"},)
    asked = [
        Request(message, 10),
        Request(message, 11),
        Request(message, 10, 0.5),
        Request(message, 10, 0.5, 1),
        Request(message, 10, 0.5, 1, {"type": "object"}),
        Request(({"role": "user", "content": "b"},), 10),
    ]

    assert len({each.key() for each in asked}) == len(asked)


@pytest.mark.parametrize("cut", range(1, 12))
async def test_a_line_that_a_crash_cut_is_asked_again(tmp_path: Path, cut: int) -> None:
    """Wherever the line was cut, the rest of the file stays and nothing is kept twice."""
    teacher = Teacher()
    path = tmp_path / "replies.jsonl"
    with Journal(path, teacher.ask) as journal:
        await journal.ask(request("a"))
        await journal.ask(request("b"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])

    with Journal(path, teacher.ask) as journal:
        await journal.ask(request("a"))
        await journal.ask(request("b"))

    assert teacher.asked == ["a", "b", "b"]
    assert path.read_bytes() == whole


async def test_a_line_that_is_no_answer_is_passed_over(tmp_path: Path) -> None:
    """Whatever a person or a program did to the file, the other answers are found."""
    teacher = Teacher()
    path = tmp_path / "replies.jsonl"
    with Journal(path, teacher.ask) as journal:
        await journal.ask(request("a"))
    path.write_text(f'[]\n7\n{{"key": 1}}\n["half"]\n{path.read_text()}')

    with Journal(path, teacher.ask) as journal:
        await journal.ask(request("b"))
        assert await journal.ask(request("a")) == Reply("A", 3, 2)

    assert teacher.asked == ["a", "b"]


def test_a_full_disk_is_a_named_error_and_keeps_what_was_whole(tmp_path: Path) -> None:
    """What was kept before stays readable; the message says what to do."""
    path = tmp_path / "replies.jsonl"
    script = (
        "import asyncio, resource, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.generate.test_journal import Teacher, request\n"
        "from tiza.generate.journal import Journal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "with Journal(Path(sys.argv[1]), Teacher().ask) as journal:\n"
        "    for text in 'abc': asyncio.run(journal.ask(request(text)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )

    assert "CannotWrite" in done.stderr
    assert "run the same command again" in done.stderr
    with Journal(path, Teacher().ask) as journal:
        assert len(journal) == path.read_bytes().count(b"\n") > 0


def test_a_journal_in_a_folder_that_is_none_is_a_named_error(tmp_path: Path) -> None:
    """The first write fails before any request is sent."""
    (tmp_path / "file").touch()
    with pytest.raises(CannotWrite, match="replies"):
        Journal(tmp_path / "file" / "replies.jsonl", Teacher().ask)


async def test_the_budget_is_never_overspent() -> None:
    """A request goes out only if its longest answer would still be paid for."""
    teacher = Teacher()
    budget = Budget(26, teacher.ask)

    for number in range(6):
        if number < 4:
            await budget.ask(request("four"))
        else:
            with pytest.raises(BudgetSpent):
                await budget.ask(request("four"))

    assert (budget.spent, budget.refused, len(teacher.asked)) == (20, True, 4)


async def test_without_a_limit_the_budget_only_counts() -> None:
    """Who sets no limit learns what it cost."""
    budget = Budget(None, Teacher().ask)

    await budget.ask(request("x", max_tokens=1_000_000))

    assert (budget.spent, budget.refused) == (5, False)
