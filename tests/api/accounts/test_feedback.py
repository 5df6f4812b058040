"""What people say of answers, by their role, and what they are told of what is kept of them."""

from tests.api.accounts.conftest import Class


async def answered(school: Class, name: str) -> str:
    """Ask as somebody, and return the path of the answer's feedback."""
    made = (await school.ask(name, "/conversations", {})).json
    path = f"/conversations/{made['id']}/messages"
    answer = (await school.ask(name, path, {"message": "Why?"})).json
    return f"/messages/{answer['message_id']}/feedback"


async def test_answer_is_corrected_by_teachers_only_when_there_are_accounts(school: Class) -> None:
    """A student may rate and say why; the answer that it should have been is for who teaches."""
    rated = {"rating": "down", "reason": "wrong"}
    corrected = rated | {"correction": "So."}
    ana, tom = [await answered(school, name) for name in ("ana", "tom")]

    assert (await school.ask("ana", ana, corrected, "PUT")).json["code"] == "forbidden"
    told = (await school.ask("ana", ana, rated, "PUT")).json["feedback"]
    assert told == rated | {"correction": ""}
    assert (await school.ask("tom", tom, corrected, "PUT")).json["feedback"] == corrected


async def test_everybody_is_told_of_what_is_theirs_when_they_ask_what_is_stored(
    school: Class,
) -> None:
    """Counts, since when, and for how long; of others nothing, and nothing to a key."""
    path = await answered(school, "ana")
    await school.ask("ana", path, {"rating": "up"}, "PUT")
    key = await school.key("ana", "conversations")

    ana, ben = [(await school.ask(name, "/me/stored")).json for name in ("ana", "ben")]

    counted = ("conversations", "messages", "ratings", "keys", "sessions", "retention_days")
    assert [ana[each] for each in counted] == [1, 2, 1, 1, 1, 0]
    assert [ben[each] for each in counted] == [0, 0, 0, 0, 1, 0]
    assert ana["since"] <= ben["since"]
    assert (await school.with_key(key, "/me/stored")).status == 403
