"""Conversations over HTTP: each person sees their own, by pages, and takes them in and out."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.service import Answer, Service, running
from tiza.store.records import Exchange, Outcome, Person, Wanted

UNKNOWN = "0" * 32
LONG_AGO = "0001-01-01T00:00:00+14:00"
SAID = {"role": "user", "content": "x"}
OPENAI = {
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "What is chalk?", "name": "x"},
        {"role": "assistant", "content": "A soft rock.", "refusal": None},
        {"role": "user", "content": [{"type": "text", "text": t} for t in ("And ", "slate?")]},
    ]
}


class Visitor:
    """Somebody with a browser: keeps the cookie and sends it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.cookie = ""

    async def ask(self, path: str, body: object = None, **more: Any) -> Answer:
        """Send a request with the cookie."""
        headers = {"Cookie": self.cookie, **more.pop("headers", {})}
        answer = await self._service.ask(path, body, headers=headers, **more)
        if "Set-Cookie" in answer.headers:
            self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return answer

    async def begin(self, title: str = "") -> str:
        """Begin a conversation and return its id."""
        answer = await self.ask("/conversations", {"title": title})
        assert answer.status == 201, answer.body
        return str(answer.json["id"])

    async def exchange(self, place: str, question: str, answer: str) -> Exchange:
        """Put a question and an answer into the store."""
        token = self.cookie.partition("=")[2]

        async def put() -> Exchange:
            store = await self._service.state.opening.get()
            person = await store.people.find(token)
            assert isinstance(person, Person)
            begun = await store.messages.ask(person, place, question, Wanted("samples_0"))
            await store.messages.finish(begun.answer.id, Outcome("complete", answer))
            return begun

        kept: Exchange = await self._service.run(put)
        return kept


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """Run the application without an engine: nothing here needs one."""
    async with running(vllm_api_url="http://127.0.0.1:1", max_import_bytes=100_000) as service:
        yield service


@pytest.fixture
def ana(service: Service) -> Visitor:
    """Somebody."""
    return Visitor(service)


@pytest.fixture
def ben(service: Service) -> Visitor:
    """Somebody else."""
    return Visitor(service)


async def test_conversation_lives_when_it_is_made_changed_and_deleted(ana: Visitor) -> None:
    """Made, opened, listed, found, renamed, deleted: each is seen by the next request."""
    place = await ana.begin()
    begun = await ana.exchange(place, "¿Qué es un árbol?", "Una planta.")

    opened = await ana.ask(f"/conversations/{place}")
    listed = await ana.ask("/conversations")
    found = await ana.ask("/conversations?q=ARBOL")
    renamed = await ana.ask(
        f"/conversations/{place}",
        {"title": "Árboles", "leaf_id": begun.question.id},
        method="PATCH",
    )
    again = await ana.ask(f"/conversations/{place}")
    deleted = await ana.ask(f"/conversations/{place}", method="DELETE")

    assert [m["text"] for m in opened.json["messages"]] == ["¿Qué es un árbol?", "Una planta."]
    assert opened.json["leaf_id"] == begun.answer.id
    assert opened.headers["Cache-Control"] == "no-store"
    assert [c["id"] for c in listed.json["conversations"]] == [place]
    assert found.json["conversations"][0]["snippet"] == "¿Qué es un árbol?"
    assert (renamed.status, renamed.json["title"]) == (200, "Árboles")
    assert (again.json["title"], again.json["leaf_id"]) == ("Árboles", begun.question.id)
    assert (deleted.status, deleted.body) == (204, b"")
    assert (await ana.ask(f"/conversations/{place}")).status == 404
    assert (await ana.ask("/conversations")).json == {"conversations": [], "cursor": None}


async def test_pages_follow_each_other_when_their_cursors_are_used(ana: Visitor) -> None:
    """A cursor leads on; a broken one is refused."""
    ids = [await ana.begin(f"{n}") for n in range(5)]

    first = await ana.ask("/conversations?limit=3")
    second = await ana.ask(f"/conversations?limit=3&cursor={first.json['cursor']}")

    shown = [c["id"] for page in (first, second) for c in page.json["conversations"]]
    assert shown == ids[::-1]
    assert second.json["cursor"] is None
    for wrong in ("cursor=x", "q=a&cursor=x", "limit=0", "limit=101", "limit=x", "q=" + "x" * 1001):
        refused = await ana.ask(f"/conversations?{wrong}")
        assert (refused.status, refused.json["code"]) == (422, "invalid_request"), wrong


async def test_everything_is_404_when_it_is_anothers(ana: Visitor, ben: Visitor) -> None:
    """Other people's objects are as unknown as none, for the known and the unknown alike."""
    place = await ana.begin("secret")
    begun = await ana.exchange(place, "secret", "too")
    answer, nobody = begun.answer.id, Visitor(ana._service)
    await ben.begin()

    for who in (ben, nobody):
        for place_tried, answer_tried in ((place, answer), (UNKNOWN, UNKNOWN), ("x", "x")):
            for path, body, method in (
                (f"/conversations/{place_tried}", None, "GET"),
                (f"/conversations/{place_tried}", {"title": "mine"}, "PATCH"),
                (f"/conversations/{place_tried}", None, "DELETE"),
                (f"/conversations/{place_tried}/export?format=md", None, "GET"),
                (f"/messages/{answer_tried}/feedback", {"rating": "up"}, "PUT"),
            ):
                refused = await who.ask(path, body, method=method)
                assert (refused.status, refused.json["code"]) == (404, "not_found"), path
        assert "secret" not in (await who.ask("/conversations?q=secret")).body.decode()
        assert b"secret" not in (await who.ask("/me/export")).body
    assert (await ana.ask(f"/conversations/{place}")).json["title"] == "secret"


async def test_feedback_is_kept_when_it_is_put(ana: Visitor) -> None:
    """Up, down, a reason, a corrected answer; taken back with null; refused for questions."""
    begun = await ana.exchange(await ana.begin(), "q", "a")
    path = f"/messages/{begun.answer.id}/feedback"

    down = {"rating": "down", "reason": "wrong", "correction": "42"}
    assert (await ana.ask(path, down, method="PUT")).json["feedback"] == down
    assert (await ana.ask(path, {"rating": None}, method="PUT")).json["feedback"] is None
    for body in ({}, {"rating": "sideways"}, {"rating": "up", "reason": "x" * 2001}):
        assert (await ana.ask(path, body, method="PUT")).status == 422
    question = f"/messages/{begun.question.id}/feedback"
    assert (await ana.ask(question, down, method="PUT")).status == 404


async def test_import_brings_the_same_when_it_was_exported(ana: Visitor, ben: Visitor) -> None:
    """Our own form goes out and in again with all branches, states and feedback."""
    place = await ana.begin("Title")
    begun = await ana.exchange(place, "one", "1")
    await ana.ask(f"/messages/{begun.answer.id}/feedback", {"rating": "up"}, method="PUT")
    await ana.exchange(place, "two", "2")
    await ana.ask(f"/conversations/{place}", {"leaf_id": begun.answer.id}, method="PATCH")
    await ana.begin("Empty")
    file = (await ana.ask(f"/conversations/{place}/export")).json

    report = await ben.ask("/conversations/import", file)
    assert report.status == 201, report.body
    assert (report.json["messages"], report.json["left_out"]) == (4, 0)

    (copy,) = report.json["conversations"]
    copied = (await ben.ask(f"/conversations/{copy}/export")).json
    assert copied != file
    assert _shape(copied) == _shape(file)
    assert (await ben.ask("/conversations?q=two")).json["conversations"][0]["id"] == copy


def _shape(file: dict[str, Any]) -> list[Any]:
    """Return what of an export does not depend on identifiers and on when it was imported."""
    shape = []
    for each in file["conversations"]:
        places = {m["id"]: n for n, m in enumerate(each["messages"])}
        messages = [
            m | {"id": places[m["id"]], "parent_id": places.get(m["parent_id"])}
            for m in each["messages"]
        ]
        shape.append((each["title"], places[each["leaf_id"]], each["created_at"], messages))
    return shape


async def test_openai_file_is_a_conversation_when_it_is_imported(ana: Visitor) -> None:
    """OpenAI's `messages` follow each other; the system prompt stays the server's."""
    report = await ana.ask("/conversations/import", OPENAI)
    assert report.json["left_out"] == 1
    (place,) = report.json["conversations"]

    whole = (await ana.ask(f"/conversations/{place}")).json
    markdown = await ana.ask(f"/conversations/{place}/export?format=md")

    assert whole["title"] == "What is chalk?"
    parents = [m["parent_id"] for m in whole["messages"]]
    assert parents == [None, *(m["id"] for m in whole["messages"][:-1])]
    assert markdown.kind == "text/markdown"
    assert markdown.body.decode() == (
        "# What is chalk?\n\n## Question\n\nWhat is chalk?\n\n## Answer\n\nA soft rock.\n\n"
        "## Question\n\nAnd slate?\n"
    )


@pytest.mark.parametrize(
    ("file", "field"),
    [
        ({}, "body"),
        ({"messages": []}, "messages"),
        ({"messages": [], "conversations": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [SAID | {"parent_id": "y"}]}, "messages.0.parent_id"),
        ({"messages": [SAID | {"id": "1"}] * 2}, "messages.1.id"),
        ({"messages": [SAID | {"created_at": "soon"}]}, "messages.0.created_at"),
        ({"messages": [SAID | {"prompt_tokens": 2**31}]}, "messages.0.prompt_tokens"),
        ({"conversations": [{"messages": [{"role": "x"}]}]}, "conversations.0.messages.0.role"),
        ({"version": 2, "messages": [SAID]}, "version"),
    ],
    ids=range(11),
)
async def test_import_is_refused_whole_when_a_part_does_not_fit(
    ana: Visitor, file: dict[str, Any], field: str
) -> None:
    """The answer names the field, and nothing of the file is kept."""
    refused = await ana.ask("/conversations/import", file)

    assert (refused.status, refused.json["code"]) == (422, "invalid_request")
    assert field in [error["field"] for error in refused.json["errors"]]
    assert (await ana.ask("/conversations")).json["conversations"] == []


async def test_import_is_repaired_when_it_says_what_cannot_be(ana: Visitor) -> None:
    """A date in the future becomes now, a running answer is interrupted, NUL is replaced."""
    messages = [
        {"role": "user", "content": "a\x00b", "created_at": "2999-01-01T00:00:00Z"},
        {
            "role": "assistant",
            "content": "",
            "state": "streaming",
            "created_at": LONG_AGO,
        },
    ]
    report = await ana.ask("/conversations/import", {"messages": messages})
    assert report.status == 201, report.body
    whole = (await ana.ask(f"/conversations/{report.json['conversations'][0]}")).json

    assert whole["messages"][0]["text"] == "a\ufffdb"
    assert [m["state"] for m in whole["messages"]] == ["complete", "interrupted"]
    assert {m["created_at"][:2] for m in whole["messages"]} == {"20"}


async def test_import_is_refused_when_it_is_too_large(ana: Visitor) -> None:
    """A file over the limit is refused before it is read; one over the ordinary limit is not."""
    text = {"role": "user", "content": "x" * 90_000}
    assert (await ana.ask("/conversations/import", {"messages": [text]})).status == 201
    refused = await ana.ask("/conversations/import", {"messages": [text, text]})
    assert (refused.status, refused.json["code"]) == (413, "body_too_large")


async def test_export_has_everything_when_a_person_asks_for_it(ana: Visitor, ben: Visitor) -> None:
    """One file has all conversations, and can be imported again."""
    for number in range(3):
        await ana.exchange(await ana.begin(), f"question {number}", "a")
    await ana.begin("empty")
    for who, count in ((ana, 4), (ben, 0)):
        exported = await who.ask("/me/export")
        assert "attachment" in exported.headers["Content-Disposition"]
        assert len(json.loads(exported.body)["conversations"]) == count
    report = await ben.ask("/conversations/import", (await ana.ask("/me/export")).json)
    assert report.json["messages"] == 6
    titles = [
        [c["title"] for c in (await who.ask("/conversations")).json["conversations"]]
        for who in (ana, ben)
    ]
    assert titles[0] == titles[1] == ["empty", *(f"question {n}" for n in (2, 1, 0))]


async def test_nothing_is_left_when_a_person_wants_to_be_forgotten(ana: Visitor) -> None:
    """Everything is deleted, and the old cookie means nobody."""
    await ana.begin()
    old = ana.cookie

    gone = await ana.ask("/me", method="DELETE")

    assert gone.status == 204
    assert "Max-Age=0" in gone.headers["Set-Cookie"]
    ana.cookie = old
    assert (await ana.ask("/conversations")).json["conversations"] == []
