"""The door to everything that is kept. Open it once a process.

SQLAlchemy, which takes longest to load, is loaded when a store is opened, not when it is named.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiza.store.accounts import Accounts
    from tiza.store.attempts import Attempts
    from tiza.store.audit import Audit
    from tiza.store.conversations import Conversations
    from tiza.store.invitations import Invitations
    from tiza.store.keys import Keys
    from tiza.store.messages import Messages
    from tiza.store.opinions import Opinions
    from tiza.store.people import People
    from tiza.store.search import Search
    from tiza.store.sessions import Sessions
    from tiza.store.signing import Signing


Timed = Callable[[str, float], None]


def untimed(_kind: str, _seconds: float) -> None:
    """Let nobody know how long a transaction took."""


@dataclass(frozen=True)
class Store:
    """The open store, by its rooms."""

    people: "People"
    conversations: "Conversations"
    messages: "Messages"
    opinions: "Opinions"
    search: "Search"
    accounts: "Accounts"
    sessions: "Sessions"
    keys: "Keys"
    invitations: "Invitations"
    attempts: "Attempts"
    signing: "Signing"
    audit: "Audit"


@asynccontextmanager
async def opened(url: str, retention_days: int = 0, timed: Timed = untimed) -> AsyncIterator[Store]:
    """Open the store at a database's address, and close it at the end of the block.

    The tables are made or brought up to date, and answers that a dead process of this machine left
    half-written are marked `interrupted`; others follow when their process has shown no life for
    a while. At the end the same happens to what this process has not finished.

    `retention_days`: what nobody has touched for so long is deleted; 0 keeps it for ever. `timed`
    is told after every transaction whether it was to read or to write, and its seconds.

    Raises:
        StoreUnavailable, StoreBusy, StoreFull: not now, perhaps later.
        StoreNewer, StoreBroken: not before somebody mends it.

    """
    await asyncio.to_thread(import_module, "tiza.store.search")  # meanwhile others are served
    from tiza.store.accounts import Accounts
    from tiza.store.attempts import Attempts
    from tiza.store.audit import Audit
    from tiza.store.conversations import Conversations
    from tiza.store.database import Database
    from tiza.store.invitations import Invitations
    from tiza.store.keys import Keys
    from tiza.store.messages import Messages
    from tiza.store.migrate import migrate
    from tiza.store.opinions import Opinions
    from tiza.store.people import People
    from tiza.store.presence import Presence
    from tiza.store.search import Search
    from tiza.store.sessions import Sessions
    from tiza.store.signing import Signing
    from tiza.store.upkeep import Upkeep

    database = await asyncio.to_thread(Database, url, timed)  # loads the driver
    try:
        await migrate(database)
        presence = Presence(database)
        await presence.begin()
        upkeep = Upkeep(database, retention_days)
        tasks = [asyncio.create_task(each.keep()) for each in (presence, upkeep)]
        try:
            yield Store(
                People(database),
                Conversations(database),
                Messages(database, presence.id),
                Opinions(database),
                Search(database),
                Accounts(database),
                Sessions(database),
                Keys(database),
                Invitations(database),
                Attempts(database),
                Signing(database),
                Audit(database),
            )
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await presence.end()
    finally:
        await database.close()
