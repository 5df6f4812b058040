"""The checker over a whole tree: order, processes, cache, memory."""

import sqlite3
import tracemalloc
from pathlib import Path

import pytest

from tests.taxonomy.lessons import SIMPLE, SKILL, VALID, write
from tiza.taxonomy.cache import Cache
from tiza.taxonomy.check import ALONE, Checked, Options, check
from tiza.taxonomy.find import find
from tiza.taxonomy.repeated import Repetitions
from tiza.taxonomy.verdict import no_questions


def grow(root: Path, count: int) -> None:
    """Write lessons with questions of their own; each tenth lacks its author."""
    for number in range(count):
        text = SKILL.replace("Where does", f"Where in place{number} does")
        text = text.replace("created_by: ana\n", "" if number % 10 == 0 else "created_by: ana\n")
        write(root, f"compositional_skills/s{number % 7}/n{number:04}", text.replace("place", "p"))


def run(root: Path, options: Options) -> list[Checked]:
    """Check a tree."""
    return list(check(find([root], root), options))


def test_check_gives_the_same_in_one_process_and_in_several(tmp_path: Path) -> None:
    """Files come in the order of their paths, whoever checked them."""
    grow(tmp_path, ALONE + 60)
    alone = run(tmp_path, Options(processes=1))

    assert run(tmp_path, Options(processes=2)) == alone
    assert [c.path for c in alone] == sorted(c.path for c in alone)
    assert sum(len(c.findings) for c in alone) == (ALONE + 60) // 10


def test_check_gives_the_same_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A verdict is kept under the content: unchanged lessons are not read as YAML again."""
    root, cache = tmp_path / "taxonomy", tmp_path / "var" / "cache.sqlite"
    for leaf, text in VALID.items():
        write(root, leaf, text.replace("created_by", "creatd_by"))
    cold = run(root, Options(cache))
    monkeypatch.setattr("tiza.taxonomy.examine.judge", None)

    assert run(root, Options(cache)) == cold


def test_check_looks_again_when_something_beside_the_lesson_changes(tmp_path: Path) -> None:
    """What the file system says is never taken from the cache."""
    root, cache = tmp_path / "taxonomy", tmp_path / "cache.sqlite"
    path = write(root, "knowledge/a", VALID["knowledge/a/official"])
    assert run(root, Options(cache))[0].findings == ()

    (path.parent / "attribution.txt").unlink()

    assert [f.rule_id for f in run(root, Options(cache))[0].findings] == ["missing-attribution"]


def test_check_looks_again_when_the_kind_of_lesson_changes(tmp_path: Path) -> None:
    """The same bytes may be right as knowledge and wrong as a skill, or the other way round."""
    cache = tmp_path / "cache.sqlite"
    for branch, count in (("compositional_skills", 0), ("knowledge", 1)):
        root = tmp_path / branch
        write(root, f"{branch}/a", SKILL)
        assert len(run(root, Options(cache))[0].findings) == count


@pytest.mark.parametrize("damage", [b"not a database", b"SQLite format 3\x00" + b"\xff" * 5000])
def test_check_goes_on_when_the_cache_is_damaged(damage: bytes, tmp_path: Path) -> None:
    """A cache is never worth an error."""
    root, cache = tmp_path / "taxonomy", tmp_path / "cache.sqlite"
    write(root, "knowledge/a", SIMPLE)
    cache.write_bytes(damage)

    assert run(root, Options(cache))[0].findings == ()


def test_check_goes_on_when_the_cache_cannot_be_written(tmp_path: Path) -> None:
    """A folder in its place, for example."""
    write(tmp_path / "taxonomy", "knowledge/a", SIMPLE)
    (tmp_path / "cache.sqlite").mkdir()

    assert run(tmp_path / "taxonomy", Options(tmp_path / "cache.sqlite"))[0].findings == ()


def test_cache_forgets_everything_when_the_checker_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verdicts of other code are worth nothing."""
    path = tmp_path / "cache.sqlite"
    cache = Cache(path)
    cache.put([(b"key", b'{"findings": [], "document": null}', b"")])
    assert cache.get(b"key") is not None
    cache.close()

    monkeypatch.setattr("tiza.taxonomy.cache.checker_version", lambda: 7)
    changed = Cache(path)

    assert changed.get(b"key") is None
    changed.close()


def test_cache_gives_nothing_when_an_entry_is_nonsense(tmp_path: Path) -> None:
    """Then the lesson is simply checked."""
    cache = Cache(tmp_path / "cache.sqlite")
    cache.close()
    connection = sqlite3.connect(tmp_path / "cache.sqlite")
    connection.execute("INSERT INTO verdicts VALUES (?, ?, ?)", (b"key", b"[1", b"123"))
    connection.commit()
    connection.close()
    cache = Cache(tmp_path / "cache.sqlite")

    assert cache.get(b"key") is None
    cache.close()


def test_repetitions_stay_small_when_the_tree_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty thousand questions wait on disk; one sixty-fourth of them is looked at at a time."""
    monkeypatch.setattr("tiza.taxonomy.repeated.BUFFERED", 150)
    tracemalloc.start()
    with Repetitions() as repetitions:
        for number in range(1_000):
            rows = no_questions()
            for question in range(20):
                rows.extend(((number * 20 + question) * 0x9E3779B97F4A7C15 % 2**64, 2))
            repetitions.add(Path(f"lesson/{number}"), rows)
        assert repetitions.find() == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1_000_000


def test_repetitions_find_both_places_when_files_lie_on_disk() -> None:
    """Paths and lines survive the way over the disk."""
    with Repetitions() as repetitions:
        for number in range(20_000):
            rows = no_questions()
            rows.extend((number % 19_999 * 64, 5 << 32 | (number + 1) << 1))
            repetitions.add(Path(f"lesson/{number}"), rows)
        (found,) = repetitions.find()

    assert found == (Path("lesson/19999"), 20_000, "duplicate-question", Path("lesson/0"), 1)
