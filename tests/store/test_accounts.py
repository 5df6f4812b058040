"""Accounts, sessions, keys, links and attempts, as the store keeps them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Table, select, update

from tiza.errors import AccountNotFound, InvitationNotFound, KeyNotFound, LinkWorthless, NameTaken
from tiza.store import account_tables as tables
from tiza.store import attempts, keys, sessions
from tiza.store.credentials import LONGEST_SESSION, Account, By, Key, SigningKey
from tiza.store.database import Database
from tiza.store.migrate import current, migrate
from tiza.store.records import Person
from tiza.store.store import Store
from tiza.store.tables import conversations, people
from tiza.store.upkeep import Upkeep

DAY = timedelta(days=1)
OPERATOR = By()


@pytest.fixture
async def database(store: Store, url: str) -> AsyncIterator[Database]:
    """Look at the tables themselves."""
    database = Database(url)
    yield database
    await database.close()


@pytest.fixture
async def lola(store: Store) -> Account:
    """Make a student with an account."""
    return await store.accounts.create(OPERATOR, "Lola", "student")


async def age(database: Database, table: Table, column: str, by: timedelta) -> None:
    """Move a moment of every row into the past."""
    async with database.writing() as connection:
        await connection.execute(update(table).values({column: datetime.now(UTC) - by}))


async def rows(database: Database, table: Table) -> int:
    """Count the rows of a table."""
    async with database.reading() as connection:
        return len((await connection.execute(select(table))).all())


def key(name: str, **more: datetime) -> Key:
    """Return a new key."""
    id_ = hashlib.sha256(name.encode()).hexdigest()[:12]
    return Key(id_, name, ("chat",), datetime.now(UTC), **more)


async def test_tables_of_accounts_go_when_migrated_down_to_conversations(
    store: Store, database: Database, ana: Person
) -> None:
    """The second migration undoes itself alone: people and conversations stay."""
    made = await store.conversations.create(ana, "Chalk")
    await migrate(database, "0001")
    async with database.reading() as connection:
        assert await connection.run_sync(current) == "0001"
        kept = await connection.execute(select(conversations.c.id, conversations.c.title))
        assert kept.all() == [(made.id, "Chalk")]
    await migrate(database)
    assert (await store.conversations.open(ana, made.id)).title == "Chalk"
    assert await store.accounts.list() == []


@pytest.mark.parametrize("name", ["Lola", "lola ", "LOLA", "Ｌｏｌａ"])  # noqa: RUF001  # full width, as meant
async def test_name_is_taken_when_it_differs_in_form_only(
    store: Store, lola: Account, name: str
) -> None:
    """Two people cannot have names that look the same."""
    with pytest.raises(NameTaken):
        await store.accounts.create(OPERATOR, name, "student")
    assert (await store.accounts.named(name)).person == lola.person


async def test_nothing_is_found_when_what_is_asked_for_cannot_be_kept(
    store: Store, lola: Account
) -> None:
    """Characters that PostgreSQL refuses are a name or an id that nobody has."""
    assert (await store.accounts.named("lo\0la")).person == lola.person
    assert await store.accounts.with_password("\0") is None
    with pytest.raises(KeyNotFound):
        await store.keys.revoke(OPERATOR, lola.person, "\0")
    with pytest.raises(InvitationNotFound):
        await store.invitations.revoke(OPERATOR, "\0", None)


async def test_account_has_what_its_cookie_had_when_it_is_new(store: Store) -> None:
    """Whoever gets an account keeps their conversations, and their cookie is worth nothing more."""
    person, cookie = await store.people.welcome()
    made = await store.conversations.create(person, "Mine")
    _, token = await store.invitations.create(OPERATOR, "student", DAY)

    account = await store.invitations.join(token, "", "Ana", "hash", cookie)

    assert account.person == person
    assert (await store.conversations.open(account.person, made.id)).title == "Mine"
    assert await store.people.find(cookie) is None
    _, second = await store.invitations.create(OPERATOR, "student", DAY)
    assert (await store.invitations.join(second, "", "Ben", "hash", cookie)).person != person


async def test_session_leads_to_nobody_when_it_has_ended(
    store: Store, lola: Account, database: Database
) -> None:
    """Signing out, disabling, a new password and time end sessions, on the server."""

    async def begun() -> str:
        token = await store.sessions.begin(lola, "192.0.2.1")
        assert await store.sessions.find(token) == lola
        return token

    first, second = await begun(), await begun()
    await store.sessions.end(first, OPERATOR)
    assert await store.sessions.find(first) is None
    assert await store.sessions.find(second) == lola

    await store.accounts.set_password(OPERATOR, lola.person, "hash")
    assert await store.sessions.find(second) is None
    third = await begun()
    await store.accounts.disable(OPERATOR, "lola")
    await store.accounts.disable(OPERATOR, "lola", disabled=False)
    assert await store.sessions.find(third) is None

    for column, longest in (("seen_at", sessions.IDLE), ("created_at", LONGEST_SESSION)):
        token = await begun()
        await age(database, tables.sessions, column, longest)
        assert await store.sessions.find(token) is None
    await Upkeep(database, 0).run()
    assert await rows(database, tables.sessions) == 0


async def test_no_secret_is_readable_when_the_database_is_read(
    store: Store, lola: Account, database: Database
) -> None:
    """Tokens of sessions and links are kept as hashes only."""
    session = await store.sessions.begin(lola, "")
    _, link = await store.invitations.create(OPERATOR, "student", DAY)
    async with database.reading() as connection:
        for table, secret in ((tables.sessions, session), (tables.invitations, link)):
            kept = repr((await connection.execute(select(table))).all())
            assert secret not in kept
            assert len(secret) >= 43


async def test_key_leads_to_nobody_when_it_may_not_be_used(
    store: Store, lola: Account, database: Database
) -> None:
    """Expired and revoked keys, and those of disabled accounts, are as if they were not there."""
    good, old = key("good"), key("old", expires_at=datetime.now(UTC) - DAY)
    for each in (good, old):
        await store.keys.add(OPERATOR, lola.person, each, b"hash")

    found = await store.keys.find(good.id)
    assert found is not None
    assert (found.key, found.secret_hash, found.account) == (good, b"hash", lola)
    assert await store.keys.find(old.id) is None
    for wrong in ("' OR 1=1 --", "", "x" * 100):
        assert await store.keys.find(wrong) is None
    await store.accounts.disable(OPERATOR, "lola")
    assert await store.keys.find(good.id) is None
    await store.accounts.disable(OPERATOR, "lola", disabled=False)
    await store.keys.revoke(OPERATOR, lola.person, good.id)
    assert await store.keys.find(good.id) is None
    assert [each.name for each in await store.keys.list(lola.person)] == ["old"]


async def test_key_stays_when_somebody_else_revokes_it(
    store: Store, lola: Account, ana: Person
) -> None:
    """Nobody revokes, or learns of, other people's keys."""
    mine = key("mine")
    await store.keys.add(OPERATOR, lola.person, mine, b"hash")
    with pytest.raises(KeyNotFound):
        await store.keys.revoke(OPERATOR, ana, mine.id)
    assert await store.keys.list(ana) == []
    assert await store.keys.list(lola.person) == [mine]


async def test_use_is_written_once_a_minute_when_a_key_is_used(
    store: Store, lola: Account, database: Database
) -> None:
    """A busy key does not make the database busy."""
    await store.keys.add(OPERATOR, lola.person, key("busy"), b"hash")
    await store.keys.used((await store.keys.list(lola.person))[0])
    (first,) = await store.keys.list(lola.person)
    await store.keys.used(first)
    assert await store.keys.list(lola.person) == [first]

    await age(database, tables.keys, "used_at", keys.USED_EVERY)
    await store.keys.used((await store.keys.list(lola.person))[0])
    (later,) = await store.keys.list(lola.person)
    assert first.used_at is not None
    assert later.used_at is not None
    assert later.used_at > first.used_at


async def test_exactly_three_join_when_ten_use_an_invitation_for_three(store: Store) -> None:
    """An invitation is not worth more when many use it in the same moment."""
    made, token = await store.invitations.create(OPERATOR, "student", DAY, uses=3, label="4B")
    assert (await store.invitations.list(None))[0] == made

    joining = (store.invitations.join(token, "", f"Student {n}", "hash") for n in range(10))
    done = await asyncio.gather(*joining, return_exceptions=True)

    refused = [each for each in done if isinstance(each, LinkWorthless)]
    assert (len(done) - len(refused), len(refused)) == (3, 7)
    assert len(await store.accounts.list()) == 3


async def test_invitation_is_not_used_up_when_the_name_is_taken(
    store: Store, lola: Account
) -> None:
    """Who chooses a name that somebody has may choose again."""
    _, token = await store.invitations.create(OPERATOR, "teacher", DAY)
    with pytest.raises(NameTaken):
        await store.invitations.join(token, "", "lola", "hash")
    assert (await store.invitations.join(token, "", "Max", "hash")).role == "teacher"


async def test_link_is_worth_nothing_when_it_is_old_used_revoked_or_of_another_kind(
    store: Store, lola: Account, database: Database
) -> None:
    """A link works for what it was made for, in its time, as often as it says."""
    reset = await store.invitations.for_password(OPERATOR, lola)
    newer = await store.invitations.for_password(OPERATOR, lola)
    made, invitation = await store.invitations.create(By(lola.person), "student", DAY)

    async def worthless(joining: str = "", resetting: str = "") -> None:
        used = (
            store.invitations.join(joining, "", "Somebody", "hash")
            if joining
            else store.invitations.reset(resetting, "", "hash")
        )
        with pytest.raises(LinkWorthless):
            await used

    await worthless(joining=newer)
    await worthless(resetting=invitation)
    await worthless(resetting=reset)
    assert (await store.invitations.reset(newer, "", "new hash")) == lola
    assert await store.accounts.password_of(lola.person) == "new hash"
    await worthless(resetting=newer)
    with pytest.raises(InvitationNotFound):
        await store.invitations.revoke(OPERATOR, made.id, Person(lola.person.id + 1))
    await store.invitations.revoke(OPERATOR, made.id, lola.person)
    await worthless(joining=invitation)
    _, old = await store.invitations.create(OPERATOR, "student", DAY)
    await age(database, tables.invitations, "expires_at", DAY)
    await worthless(joining=old)
    await Upkeep(database, 0).run()
    assert await rows(database, tables.invitations) == 0


async def test_first_admin_is_invited_once_when_many_processes_start(store: Store) -> None:
    """One link is made; another only when that one is worth nothing and there is still no admin."""
    made = await asyncio.gather(*(store.invitations.for_first_admin() for _ in range(5)))
    (token,) = [each for each in made if each]
    assert not await store.accounts.has_admin()

    await store.invitations.join(token, "", "Root", "hash")
    assert await store.accounts.has_admin()
    assert await store.invitations.for_first_admin() is None
    await store.accounts.disable(OPERATOR, "root")
    assert await store.invitations.for_first_admin()


async def test_wait_doubles_when_attempts_go_on_failing(store: Store, database: Database) -> None:
    """After the free attempts each further one costs twice the time, up to a bound."""

    async def begin() -> Mapping[str, int]:
        return await store.attempts.begin({"lola": 1}, OPERATOR)

    waits = []
    for _ in range(12):
        assert await begin() == {}
        waits.append((await begin())["lola"])
        await age(database, tables.attempts, "locked_until", timedelta())
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == attempts.LONGEST_SECONDS
    assert await store.attempts.begin({"ana": 1}, OPERATOR) == {}


async def test_attempts_count_like_one_by_one_when_they_come_at_once(store: Store) -> None:
    """Of many attempts in the same moment only the free ones are made."""
    many = (store.attempts.begin({"x": 5, "y": 50}, OPERATOR) for _ in range(20))
    done = await asyncio.gather(*many)
    assert done.count({}) == 5
    assert all(not each or set(each) == {"x"} for each in done)


async def test_attempts_are_forgotten_when_one_succeeds(store: Store) -> None:
    """The right password clears a name; an address only gets that one attempt back."""

    async def begin(subject: str, times: int) -> list[bool]:
        return [await store.attempts.begin({subject: 5}, OPERATOR) == {} for _ in range(times)]

    for _ in range(2):
        assert all(await begin("name", 4))
        await store.attempts.succeeded(forget=["name"], take_back=[])
    assert all(await begin("address", 4))
    await store.attempts.succeeded(forget=[], take_back=["address"])
    assert await begin("address", 3) == [True, True, False]


async def test_same_account_is_found_when_a_provider_names_its_subject_again(
    store: Store, lola: Account
) -> None:
    """A subject of a provider is one account, whatever it is called; a taken name gets a number."""
    first = await store.accounts.external(OPERATOR, "https://one", "7", "Lola")
    assert first is not None
    assert (first.name, first.role) == ("Lola 2", "student")
    assert await store.accounts.external(OPERATOR, "https://one", "7", "Other") == first
    other = await store.accounts.external(OPERATOR, "https://two", "7", "Lola")
    assert other is not None
    assert other.person not in (first.person, lola.person)
    await store.accounts.disable(OPERATOR, "Lola 2")
    assert await store.accounts.external(OPERATOR, "https://one", "7", "Lola") is None


async def test_one_account_is_made_when_a_new_person_signs_in_in_two_places_at_once(
    store: Store,
) -> None:
    """Whoever comes second is the one who came first, not somebody with a number."""
    found = await asyncio.gather(
        *(store.accounts.external(OPERATOR, "https://one", "7", "Lola") for _ in range(6))
    )
    assert {account and account.name for account in found} == {"Lola"}
    assert len(await store.accounts.list()) == 1


async def test_person_stays_when_they_have_an_account_and_no_conversation(
    store: Store, lola: Account, database: Database
) -> None:
    """Only people without an account are forgotten for having nothing."""
    await store.people.welcome()
    await age(database, people, "created_at", timedelta(days=40))
    await Upkeep(database, 0).run()
    assert await store.accounts.list() == [lola]
    assert await rows(database, people) == 1


async def test_audit_tells_what_was_done_when_accounts_change(store: Store, lola: Account) -> None:
    """Roles, keys, links and sessions leave an entry each, with who did it and from where."""
    by = By(lola.person, "192.0.2.7")
    await store.accounts.give_role(by, "lola", "teacher")
    await store.keys.add(by, lola.person, key("one"), b"hash")
    await store.sessions.begin(lola, "192.0.2.8")
    await store.people.forget(lola.person, by)

    entries = await store.audit.newest()
    assert [each.action for each in entries] == [
        "account.deleted",
        "sign_in",
        "key.created",
        "account.role",
        "account.created",
    ]
    assert {each.actor for each in entries} == {lola.person.id}
    assert entries[1].address == "192.0.2.8"
    assert entries[3].subject == f"{lola.person.id} teacher"
    assert not any("Lola" in repr(each) for each in entries)
    with pytest.raises(AccountNotFound):
        await store.accounts.named("lola")


async def test_one_signing_key_is_kept_when_many_processes_make_one(store: Store) -> None:
    """Processes that need a key in the same moment agree on one."""
    now = datetime.now(UTC)
    made = [SigningKey(f"{n}", "sealed", "{}", now) for n in range(5)]
    await asyncio.gather(*(store.signing.add(each, DAY) for each in made))
    (kept,) = await store.signing.keys(DAY)
    assert kept in made


async def test_token_is_refused_when_it_was_revoked(store: Store, database: Database) -> None:
    """Revoked tokens are remembered until they would have expired."""
    for end in (DAY, -DAY):
        await store.signing.revoke(OPERATOR, f"in {end.days}", datetime.now(UTC) + end)
    assert await store.signing.is_revoked("in 1")
    assert not await store.signing.is_revoked("other")
    await Upkeep(database, 0).run()
    assert await rows(database, tables.revoked_tokens) == 1
