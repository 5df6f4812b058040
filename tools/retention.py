"""Note in the banks of general questions which ones the shipped model answers right.

`python tools/retention.py` asks it (minutes; answers are kept below var/) and writes the files, and
beside them its answers, so that nobody has to ask again; `--check` changes nothing and exits with 1
if the banks are out of step.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path

from tiza.evaluate import exam
from tiza.evaluate.ask import Journal, ask
from tiza.evaluate.exam import LANGUAGES, General, bank
from tiza.evaluate.examined import served, subject
from tiza.progress import Progress
from tiza.settings import Settings, load

FOLDER = Path(exam.__file__).parent / "questions"
READY = FOLDER / "answers"


async def answered(questions: list[General], settings: Settings) -> list[bool]:
    """Ask the shipped model what no journal knows."""
    shipped = subject("", settings)
    journal = Journal(settings.var_path / "answers" / f"{shipped.name}-{shipped.mark}.jsonl")
    with Progress() as progress:
        async with served(shipped, settings, settings.logs_path, progress) as endpoint:
            step = progress.step(shipped.name, len(questions))
            answers = await ask(endpoint, [q.query for q in questions], journal, step)
        ready = Journal(READY / f"{shipped.name}-{shipped.mark}.jsonl")
        ready.borrow(journal, [endpoint.key(q.query) for q in questions])
    return [q.grade(answer.text).passed for q, answer in zip(questions, answers, strict=True)]


def lines(questions: list[General], passed: list[bool]) -> str:
    """Return a bank as it is written."""
    rows = (
        {"question": q.question, "accept": list(q.accept), "area": q.area, "shipped": right}
        for q, right in zip(questions, passed, strict=True)
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def main() -> None:
    """Write or check both banks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = False
    if not check:
        for old in READY.glob("*.jsonl"):
            old.unlink()
    for language in LANGUAGES:
        questions = bank(language)
        passed = asyncio.run(answered(questions, load()))
        path, text = FOLDER / f"retention.{language}.jsonl", lines(questions, passed)
        stale = stale or path.read_text("utf-8") != text
        if not check:
            path.write_text(text, "utf-8")
        print(f"{language}: the shipped model answers {sum(passed)} of {len(passed)}")
    sys.exit(check and stale)


if __name__ == "__main__":
    main()
