"""`tiza data generate` as a person runs it: samples, provenance, screens, faults, interruptions."""

import json
import random
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engines.processes import TIZA, clean_environment, finish
from tests.generate.lectern import Lectern
from tests.taxonomy.lessons import GROUNDED, SIMPLE, SKILL, SKILL_V1, write
from tiza.runs.run import Run, runs
from tiza.runs.samples import Sample, read

PAIRS = """
description: The lesson's pairs, and new ones
knowledge:
  - {step: seeds, do: seeds}
  - {step: pairs, do: pairs, prompt: knowledge_pairs, samples: 1, max_tokens: 200}
freeform_skill: [{step: seeds, do: seeds}]
grounded_skill: [{step: seeds, do: seeds}]
"""
REPLAY = Sample(
    ({"role": "user", "content": "How are you?"}, {"role": "assistant", "content": "Well."})
)
EXAM = "exam:\n  - question: Say, where is the town hall of Arden?\n    answer: On the square.\n"
CREATED = ("created_by: ana\n", f"created_by: ana\n{EXAM}")

Generate = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def lectern() -> Iterator[Lectern]:
    """Run a teacher."""
    with Lectern() as lectern:
        yield lectern


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a taxonomy of one lesson, a pipeline and a file of replay."""
    write(tmp_path / "taxonomy", "knowledge/towns", SIMPLE)
    (tmp_path / "pairs.yaml").write_text(PAIRS)
    (tmp_path / "replay.jsonl").write_text(f"{REPLAY.line()}\n")
    return tmp_path


def command(folder: Path, lectern: Lectern | None, *words: str) -> list[str]:
    """Return the command, with the teacher and the pipeline of the tests."""
    taught = ("--pipeline", "pairs.yaml", "--endpoint-url", lectern.url) if lectern else ()
    replay = ("--replay", "replay.jsonl")
    return [*TIZA, "data", "generate", *taught, *replay, "--sdg-scale-factor", "3", *words]


def generate(
    folder: Path, lectern: Lectern | None, *words: str, status: int = 0, **environment: object
) -> str:
    """Run the command to its end; return what it printed."""
    done = finish(command(folder, lectern, *words), folder, clean_environment(**environment))
    assert done.returncode == status, done
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def last_run(folder: Path) -> Run:
    """Return the newest run."""
    return runs(folder / "var" / "runs")[-1]


def questions(run: Run) -> list[str]:
    """Return the questions of the training file."""
    return [sample.messages[0]["content"] for sample in read(run.train)]


def test_samples_say_where_they_come_from(folder: Path, lectern: Lectern) -> None:
    """Each sample has its lesson, the hash, the lines, the step, the teacher and the prompt."""
    generate(folder, lectern, "--seed", "5")

    by_step: dict[str, Sample] = {}
    for sample in read(last_run(folder).train):
        by_step.setdefault(sample.metadata.get("step", "replay"), sample)
    seed, made, replay = by_step["seeds"], by_step["pairs"], by_step["replay"]
    assert seed.metadata["lesson"] == made.metadata["lesson"] == "knowledge/towns"
    assert len(seed.metadata["lesson_hash"]) == 64
    assert made.metadata["teacher"] == "lectern"
    assert made.metadata["prompt"].startswith("knowledge_pairs")
    assert made.metadata["pipeline"] == "pairs"
    assert seed.metadata["lines"]
    assert replay.metadata["mix"] == "replay"
    assert len({sample.id for sample in read(last_run(folder).train)}) == len(
        list(read(last_run(folder).train))
    )
    facts = last_run(folder).section("generate")
    assert facts["state"] == "complete"
    assert facts["seed"] == 5
    assert facts["tokens"] == 70 * len(lectern.asked)


def test_two_runs_of_one_seed_are_the_same_and_another_seed_asks_differently(
    folder: Path, lectern: Lectern
) -> None:
    """What is made follows from the lessons, the pipeline and the seed."""
    files = []
    for seed in ("1", "1", "2"):
        generate(folder, lectern, "--seed", seed)
        files.append(last_run(folder).train.read_text())

    assert files[0] == files[1] != files[2]
    assert len(runs(folder / "var" / "runs")) == 3


def test_a_context_stands_before_its_question_and_knowledge_has_none(folder: Path) -> None:
    """A student brings the text of a grounded skill, and never sees the passage of a fact."""
    write(folder / "taxonomy", "compositional_skills/who", GROUNDED)

    generate(folder, None, "--pipeline", "seeds")

    for sample in read(last_run(folder).train):
        question = sample.messages[0]["content"]
        grounded = sample.metadata.get("kind") == "compositional_skills"
        assert ("\n\n" in question) == grounded


def test_knowledge_and_skills_are_balanced_when_wished(folder: Path) -> None:
    """What falls short is repeated, each copy under an id of its own; nothing is thrown away."""
    write(folder / "taxonomy", "compositional_skills/where", SKILL_V1)

    generate(folder, None, "--pipeline", "seeds", "--knowledge-share", "0.5", "--replay-share", "0")

    found = list(read(last_run(folder).train))
    kinds = Counter(sample.metadata["kind"] for sample in found)
    assert kinds["compositional_skills"] > 4
    assert kinds["compositional_skills"] <= kinds["knowledge"]
    assert len({sample.id for sample in found}) == len(found)


def test_an_exam_question_never_reaches_the_training_file(folder: Path) -> None:
    """A seed that repeats an exam question of any lesson is rejected, and named in samples.md."""
    smuggled = SKILL.replace(
        "seed_examples:\n",
        "seed_examples:\n  - question: Say where the town hall of Arden is.\n    answer: Here.\n",
    )
    write(folder / "taxonomy", "compositional_skills/where", smuggled)
    write(folder / "taxonomy", "knowledge/towns", SIMPLE.replace(*CREATED))

    said = generate(folder, None, "--pipeline", "seeds")

    run = last_run(folder)
    assert not [q for q in questions(run) if "town hall of Arden" in q]
    assert re.search(r"exam \d", said)
    assert "Say where the town hall of Arden is" in (run.path / "samples.md").read_text()
    (exam,) = read(run.exam)
    assert exam.messages[0]["content"] == "Say, where is the town hall of Arden?"


def test_lessons_that_fail_their_check_stop_the_run_before_any_request(
    folder: Path, lectern: Lectern
) -> None:
    """All findings are named with file and line; --keep-going teaches the others."""
    write(folder / "taxonomy", "knowledge/bad", SIMPLE.replace("domain: Geography", "domain:"))

    said = generate(folder, lectern, status=1)
    assert "taxonomy/knowledge/bad/qna.yaml:3:8" in said
    assert (lectern.asked, (folder / "var" / "runs").exists()) == ([], False)

    said = generate(folder, lectern, "--keep-going")
    assert "Left out: taxonomy/knowledge/bad/qna.yaml" in said
    assert {s.metadata.get("lesson") for s in read(last_run(folder).train)} == {
        "knowledge/towns",
        None,
    }


def test_dry_run_says_what_it_costs_and_asks_nothing(folder: Path, lectern: Lectern) -> None:
    """The number of requests is the number that the run then needs."""
    said = json.loads(generate(folder, lectern, "--dry-run", "--json"))
    assert lectern.asked == []

    generate(folder, lectern)

    assert sum(step["requests"] for step in said["steps"]) == len(lectern.asked)


def test_a_budget_ends_the_run_cleanly_and_more_of_it_goes_on(
    folder: Path, lectern: Lectern
) -> None:
    """Never more tokens than allowed; what was paid for is in the file and is not paid again."""
    said = generate(folder, lectern, "--max-tokens-total", "1500")
    run = last_run(folder)
    first = len(lectern.asked)
    assert run.section("generate")["state"] == "budget spent"
    assert 70 * first <= 1500
    assert "--max-tokens-total" in said
    assert len([q for q in questions(run) if q.startswith("What is the fact")]) == first

    generate(folder, lectern)

    assert last_run(folder) == run
    assert run.section("generate")["state"] == "complete"
    assert len(lectern.asked) == len(set(lectern.asked)) > first


def test_a_wrong_key_is_one_sentence(folder: Path, lectern: Lectern) -> None:
    """The run ends at once, says that the key is wrong, and never repeats the key."""
    lectern.status = 401

    said = generate(folder, lectern, "--api-key", "sk-secret", status=1)

    assert "key" in said
    assert "sk-secret" not in said
    assert lectern.keys == {"Bearer sk-secret"}
    assert "sk-secret" not in "".join(
        path.read_text() for path in (folder / "var").rglob("*") if path.is_file()
    )


def test_a_run_killed_at_twenty_moments_ends_as_one_that_was_not(
    folder: Path, lectern: Lectern
) -> None:
    """No answered request is sent again, no line is doubled or cut, the files are the same."""
    words = ("--sdg-scale-factor", "40")
    generate(folder, lectern, *words)
    whole, needed = last_run(folder), len(lectern.asked)
    chance = random.Random(20)  # noqa: S311  # no secret
    kept: set[str] = set()
    (folder / "var").rename(folder / "whole")

    for moment in range(20):
        lectern.asked.clear()
        most = (needed - len(kept)) // (20 - moment)  # the last blow may fall in the last request
        kill_at_request(chance.randint(1, max(1, most)), folder, lectern, words)
        assert kept.isdisjoint(lectern.asked)
        kept = marks(folder)
    assert needed // 4 < len(kept) < needed
    lectern.asked.clear()
    generate(folder, lectern, *words)

    assert kept.isdisjoint(lectern.asked)
    assert len(marks(folder)) == needed
    assert len(runs(folder / "var" / "runs")) == 1
    again, whole = last_run(folder), Run(folder / "whole" / "runs" / whole.id)
    for name in ("train.jsonl", "exam.jsonl"):
        assert (again.path / name).read_bytes() == (whole.path / name).read_bytes()


def kill_at_request(number: int, folder: Path, lectern: Lectern, words: tuple[str, ...]) -> None:
    """Start the command and kill it while its request of that number is being answered."""
    process = subprocess.Popen(
        command(folder, lectern, *words),
        cwd=folder,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def kill(count: int) -> None:
        if count >= number:  # the last of the one before may have come late, and counted
            process.kill()

    lectern.before = kill
    assert process.wait() == -signal.SIGKILL
    lectern.before = lambda _count: None


def marks(folder: Path) -> set[str]:
    """Return the marks of the answers that were kept; none is there twice."""
    text = "".join(path.read_text() for path in folder.glob("var/runs/*/replies.jsonl"))
    whole = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
    found = re.findall(r"What is the fact (\w+)", "".join(whole))
    assert len(found) == len(set(found))
    return set(found)
