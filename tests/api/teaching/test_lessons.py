"""Lessons over HTTP: the tree, live checks, and changes that lose nothing of anybody."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.accounts.conftest import Class, cheap_hashes, school  # noqa: F401  # fixtures
from tests.api.faulty_engine import FaultyEngine
from tests.api.service import Service, running
from tests.api.teaching.school import LEAF, lesson, plant


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Service]:
    """Run the API over a taxonomy; no engine is needed."""
    async with running(taxonomy_path=plant(tmp_path)) as service:
        yield service


def git(folder: Path, *arguments: str) -> str:
    """Ask git."""
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def everything(folder: Path) -> list[Path]:
    """Return all that is below a folder."""
    return sorted(folder.rglob("*"))


async def test_tree_names_subjects_and_lessons_when_it_is_asked_for(desk: Service) -> None:
    """In the reader's language, with the counts of every lesson."""
    tree = (await desk.ask("/lessons", headers={"Accept-Language": "es"})).json

    assert tree["subjects"] == [
        {"path": "knowledge", "title": "Knowledge"},
        {"path": "knowledge/science", "title": "Ciencias"},
    ]
    assert tree["lessons"] == [
        {
            "path": LEAF,
            "title": "La tiza",
            "language": "en",
            "questions": 6,
            "exam": 1,
            "errors": 0,
            "warnings": 0,
        }
    ]


async def test_check_names_line_and_hint_when_a_text_is_faulty(desk: Service) -> None:
    """In the language of the request, without saving anything."""
    draft = {"path": LEAF, "text": lesson(4)}
    checked = (await desk.ask("/lessons/check", draft, headers={"Accept-Language": "es"})).json

    assert not checked["valid"]
    first = next(each for each in checked["remarks"] if each["severity"] == "error")
    assert (first["rule"], first["line"]) == ("too-few-examples", 9)
    assert first["field"] == "seed_examples"
    assert first["message"].startswith("`seed_examples` tiene 4")
    broken = await desk.ask("/lessons/check", {"path": LEAF, "text": "a: [b"})
    bomb = {"path": LEAF, "text": "a: &a [x, x]\nb: [*a, *a]", "content": {"a": "y"}}
    assert (await desk.ask("/lessons/check", bomb)).json["code"] == "lesson_uneditable"
    assert broken.json["content"] is None
    assert broken.json["remarks"]


async def test_content_changes_the_text_and_nothing_else_when_a_form_is_filled_in(
    desk: Service,
) -> None:
    """Comments, order and what nobody touched stay as they were written."""
    before = (await desk.ask(f"/lessons/{LEAF}")).json
    content = before["content"]
    content["seed_examples"][1]["answer"] = "no"
    content["seed_examples"].append({"question": "new: what?", "answer": "a\nb", "context": ""})
    draft = {"path": LEAF, "text": before["text"], "content": content}
    after = (await desk.ask("/lessons/check", draft)).json

    assert after["content"]["seed_examples"][1]["answer"] == "no"
    assert after["text"] == before["text"].replace("the chalk 1 is thing 2", '"no"').replace(
        "thing 10\n", "thing 10\n  - question: 'new: what?'\n    answer: |-\n      a\n      b\n"
    )


async def test_second_teacher_is_refused_when_both_opened_the_same_version(desk: Service) -> None:
    """Whoever saves first wins; the other one is told, and a version has to be named."""
    opened = await desk.ask(f"/lessons/{LEAF}")
    match = {"If-Match": opened.headers["ETag"]}
    first = {"text": lesson(7)}
    saved = await desk.ask(f"/lessons/{LEAF}", first, method="PUT", headers=match)
    late = await desk.ask(f"/lessons/{LEAF}", {"text": ""}, method="PUT", headers=match)
    blind = await desk.ask(f"/lessons/{LEAF}", {"text": ""}, method="PUT")
    new = {"If-None-Match": "*"}
    taken = await desk.ask(f"/lessons/{LEAF}", {"text": ""}, method="PUT", headers=new)

    assert saved.status == 200
    assert [late.status, blind.status, taken.status] == [412, 428, 412]
    assert (await desk.ask(f"/lessons/{LEAF}")).json["text"] == lesson(7)


async def test_lesson_is_committed_when_the_tree_is_a_repository(tmp_path: Path) -> None:
    """By the name of the teacher, that one file only; a deleted one as well."""
    taxonomy = plant(tmp_path)
    git(tmp_path, "init", "--quiet")
    (tmp_path / "other").write_text("left alone")
    git(tmp_path, "add", "other")
    async with running(taxonomy_path=taxonomy) as desk:
        begun = await desk.ask(
            "/lessons/template",
            {"kind": "knowledge", "subject": "500", "name": "Dust & Sponge", "language": "es"},
        )
        path = begun.json["path"]
        new = {"If-None-Match": "*"}
        body = {"text": begun.json["text"]}
        saved = await desk.ask(f"/lessons/{path}", body, method="PUT", headers=new)
        match = {"If-Match": saved.headers["ETag"]}
        gone = await desk.ask(f"/lessons/{path}", method="DELETE", headers=match)

    assert path == "knowledge/science/dust_sponge/es"
    assert saved.json["commit"]
    assert saved.json["reason"] == ""
    assert gone.status == 204
    assert git(tmp_path, "log", "--format=%an %s").splitlines() == [
        f"Tiza Delete the lesson {path}",
        f"Tiza Add the lesson {path}",
    ]
    assert git(tmp_path, "status", "--short", "other") == "A  other"


@pytest.mark.parametrize(
    "leaf",
    [
        "knowledge/../../outside",
        "knowledge/..%2f..%2foutside",
        "elsewhere/science/chalk",
        "knowledge/.git/chalk",
        "knowledge/link/chalk",
        "knowledge/science/Odd Name",
        "knowledge",
    ],
)
async def test_nothing_is_written_outside_when_a_path_tries_to_leave(
    tmp_path: Path, leaf: str
) -> None:
    """Neither by its name nor through a link, which a check does not follow either."""
    taxonomy = plant(tmp_path)
    (taxonomy / "knowledge/link").symlink_to(tmp_path)
    before = everything(tmp_path)
    async with running(taxonomy_path=taxonomy) as desk:
        new = {"If-None-Match": "*"}
        saved = await desk.ask(f"/lessons/{leaf}", {"text": "x"}, method="PUT", headers=new)

    assert saved.status in (404, 405, 409)
    assert everything(tmp_path) == before


async def test_lesson_that_is_a_link_stays_closed_when_it_is_asked_for(tmp_path: Path) -> None:
    """What lies behind it is neither shown nor replaced."""
    taxonomy = plant(tmp_path)
    (tmp_path / "secret").write_text("secret")
    (taxonomy / LEAF / "qna.yaml").unlink()
    (taxonomy / LEAF / "qna.yaml").symlink_to(tmp_path / "secret")
    async with running(taxonomy_path=taxonomy) as desk:
        shown = await desk.ask(f"/lessons/{LEAF}")

    assert shown.status == 404
    assert b"secret" not in shown.body


async def test_teachers_places_are_closed_when_somebody_else_asks(
    school: Class,  # noqa: F811  # the fixture
) -> None:
    """Teachers and admins only; no API key goes there."""
    key = await school.key("tom")
    for place in ("/lessons", "/store/models", "/runs"):
        statuses = [(await school.ask(name, place)).status for name in ("ana", "tom", "root")]

        assert statuses == [403, 200, 200]
        assert (await school.with_key(key, place)).status == 403
        assert (await school.service.ask(place)).status == 401


async def test_open_mode_serves_teachers_of_this_machine_only(
    desk: Service, engine: FaultyEngine
) -> None:
    """Not another machine behind a proxy, not another site's page, not under a borrowed name."""
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    forwarded = {"X-Forwarded-For": "10.1.2.3"}
    borrowed = {"Host": "evil.example:8000"}

    assert (await desk.ask("/lessons")).status == 200
    for headers in (forwarded, borrowed):
        assert (await desk.ask("/lessons", headers=headers)).status == 403
    assert (await desk.ask("/runs", {}, headers=foreign)).status == 403
