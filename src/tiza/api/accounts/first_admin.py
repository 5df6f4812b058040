"""The link for the first administrator: told once, to whoever sees this process's output."""

import asyncio

from tiza.api.accounts import links
from tiza.api.opening import RETRY_SECONDS, OpeningStore
from tiza.errors import RequestError
from tiza.settings import Settings
from tiza.store.store import opened
from tiza.translation import N_, terminal_language, translate

WORDS = N_("Nobody administers this yet. Within 24 hours, open this once to do it: {link}")


async def link(settings: Settings) -> str:
    """Make the link, with a store that is opened for it; empty where none is needed."""
    if settings.auth_mode == "open":
        return ""
    async with opened(settings.store_url) as store:
        token = await store.invitations.for_first_admin()
    return links.invitation(settings, token) if token else ""


async def tell(settings: Settings, opening: OpeningStore) -> None:
    """Print the link as soon as the store is open; nothing where none is needed."""
    if settings.auth_mode == "open":
        return
    while True:
        try:
            token = await (await opening.get()).invitations.for_first_admin()
        except RequestError:
            await asyncio.sleep(RETRY_SECONDS)
            continue
        if token:
            words = translate(WORDS, terminal_language())
            print(words.format(link=links.invitation(settings, token)), flush=True)
        return
