"""Signing in by name and password: always as slow, always the same words, and soon not at all.

Whether a name exists is told to nobody: for one that does not, a password is compared just so, and
wrong attempts are counted alike. Attempts are counted by name and by address.
"""

import asyncio
import math
import time
from collections.abc import Mapping
from ipaddress import ip_network

from tiza.api.accounts.passwords import Passwords
from tiza.errors import Overloaded, SignInFailed, SignInLocked
from tiza.store.credentials import Account, By
from tiza.store.names import key_of
from tiza.store.store import Store

FREE_OF_NAME, FREE_OF_ADDRESS = 5, 60  # wrong passwords; a whole school may have one address
NETWORK_BITS = {4: 32, 6: 64}  # one subscriber, by the version of their address
MOST = 4096  # locks that are remembered; the store has all of them


class SignIn:
    """Compares passwords, as long as not too many were wrong."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords
        self._turn = asyncio.Lock()
        self._locked: dict[str, float] = {}  # until when, so that the store need not be asked

    async def account(self, store: Store, name: str, password: str, address: str) -> Account:
        """Return whose name and password it is.

        Raises:
            SignInFailed: one of them is wrong, or the account is disabled.
            SignInLocked: there were too many wrong ones.
            Overloaded: too many sign in at once.

        """
        by, origin, who = By(address=address), _of_address(address), f"name {key_of(name)}"
        async with self._turn:  # those who wait are refused without asking, once one is locked
            await self._begin(store, {origin: FREE_OF_ADDRESS, who: FREE_OF_NAME}, by)
        kept = await store.accounts.with_password(name)
        try:
            matches = await self._passwords.matches(password, kept[1] if kept else "")
        except Overloaded:
            await store.attempts.succeeded(forget=(), take_back=(origin, who))
            raise
        if kept is None or not matches:
            await store.audit.note(by, "sign_in.failed", kept[0].person.id if kept else "")
            raise SignInFailed
        await store.attempts.succeeded(forget=(who,), take_back=(origin,))
        return kept[0]

    async def _begin(self, store: Store, free: Mapping[str, int], by: By) -> None:
        now = time.monotonic()
        left = max(math.ceil(self._locked.get(subject, now) - now) for subject in free)
        if left > 0:
            raise SignInLocked(left)
        if waits := await store.attempts.begin(free, by):
            if len(self._locked) >= MOST:
                self._locked.clear()
            now = time.monotonic()
            self._locked |= {subject: now + seconds for subject, seconds in waits.items()}
            raise SignInLocked(max(waits.values()))


def _of_address(address: str) -> str:
    if not address:
        return "address"
    version = 6 if ":" in address else 4
    return f"address {ip_network((address, NETWORK_BITS[version]), strict=False)}"
