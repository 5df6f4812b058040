"""The two gates: the open one, where a cookie only tells people apart, and that of accounts.

Both find out who calls by what a request carries; who was found is remembered for a few seconds.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Scope

from tiza.api.accounts import api_keys, places
from tiza.api.accounts.counters import BEARER, for_monitor, from_here
from tiza.api.accounts.remembered import Remembered
from tiza.api.accounts.tokens import Tokens
from tiza.api.callers import EVERY_SCOPE, Caller
from tiza.api.cookies import cookies_of, secured
from tiza.api.opening import OpeningStore
from tiza.api.origins import is_foreign, is_loopback_name
from tiza.api.proxies import IS_LOCAL
from tiza.errors import Forbidden, ForeignOrigin, RequestError, Unauthenticated
from tiza.store.credentials import Account
from tiza.store.records import NOBODY, Person
from tiza.store.store import Store

ANONYMOUS, SESSION = "tiza_person", "tiza_session"  # cookies
LONGEST = 128  # characters of a cookie that are looked at
GLANCE_SECONDS = 1.0  # how long a request waits that would also be answered to a stranger


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a credential belongs to, and what it allows."""

    account: Account
    key_id: str = ""
    scopes: frozenset[str] = EVERY_SCOPE
    is_token: bool = False


class OpenGate:
    """Lets in everybody. The counters and the teacher's places are not for other machines."""

    def __init__(self, opening: OpeningStore, friends: Collection[str], monitor: str) -> None:
        self._opening, self._friends, self._monitor = opening, friends, monitor
        self.people: Remembered[Person] = Remembered()

    async def admit(self, scope: Scope) -> Caller:
        """Return who calls: somebody with a cookie, or a stranger. Raises Forbidden."""
        may_count = from_here(scope) or for_monitor(scope, self._monitor)
        if scope["path"] in places.COUNTERS and not may_count:
            raise Forbidden
        headers = Headers(scope=scope)
        if places.first_part(scope["path"]) in places.TEACHING:
            self._check_teacher(scope, headers)
        token = cookies_of(headers).get(ANONYMOUS, "")[:LONGEST]
        person = NOBODY
        if token and not is_foreign(scope["method"], headers, self._friends):
            person = self.people.get(token) or await self._glance(token)
        return Caller(person, address=scope["client"][0])

    def _check_teacher(self, scope: Scope, headers: Headers) -> None:
        """Make sure that the teacher's places are asked for by whoever sits at this machine.

        Another site's page may run in their browser, under a name that leads here, too.
        """
        if not scope["state"][IS_LOCAL] or not is_loopback_name(headers.get("host", "")):
            raise Forbidden
        if is_foreign(scope["method"], headers, self._friends):
            raise ForeignOrigin

    async def person(self, token: str) -> Person:
        """Return whose cookie it is, or NOBODY. Raises StoreUnavailable, StoreBusy."""
        if person := self.people.get(token):
            return person
        person = await (await self._opening.get()).people.find(token)
        if person is None:
            return NOBODY
        self.people.put(token, person)
        return person

    async def _glance(self, token: str) -> Person:
        """Do without knowing them where the store is away: much is answered to strangers."""
        if not self._opening.is_open:
            return NOBODY
        try:
            async with asyncio.timeout(GLANCE_SECONDS):
                return await self.person(token)
        except (RequestError, TimeoutError):
            return NOBODY


class AccountGate:
    """Lets in whoever has a session, an API key or a token, to where they may go."""

    def __init__(
        self,
        opening: OpeningStore,
        friends: Collection[str],
        tokens: Tokens,
        secret: Callable[[], bytes],
        monitor: str,
    ) -> None:
        self._opening, self._friends, self._monitor = opening, friends, monitor
        self._tokens, self._secret = tokens, secret
        self.found: Remembered[Found] = Remembered()

    async def admit(self, scope: Scope) -> Caller:
        """Return who calls.

        Raises:
            Unauthenticated, Forbidden: they may not go there.
            ForeignOrigin: another site's page sends their cookie along.
            StoreUnavailable, StoreBusy: it cannot be found out now.

        """
        path, address = scope["path"], scope["client"][0]
        if path in places.PUBLIC or for_monitor(scope, self._monitor):
            return Caller(address=address)
        found = await self._find(scope)
        if found is None:
            if from_here(scope):
                return Caller(address=address)
            raise Unauthenticated
        account = found.account
        caller = Caller(
            account.person,
            account.role,
            found.key_id,
            address,
            account.name,
            found.scopes,
            found.is_token,
        )
        places.check(scope["method"], path, caller)
        return caller

    async def _find(self, scope: Scope) -> Found | None:
        headers = Headers(scope=scope)
        authorization = headers.get("authorization", "")
        if authorization:
            if authorization[: len(BEARER)].lower() != BEARER:
                return None
            return await self._by_bearer(authorization[len(BEARER) :].strip())
        session = cookies_of(headers).get(secured(scope, SESSION), "")[:LONGEST]
        if not session:
            return None
        if is_foreign(scope["method"], headers, self._friends):
            raise ForeignOrigin
        found = self.found.get(session)
        return found if found and not found.key_id else await self._by_session(session)

    async def _by_session(self, token: str) -> Found | None:
        account = await (await self._opening.get()).sessions.find(token)
        if account is None:
            return None
        self.found.put(token, found := Found(account))
        return found

    async def _by_bearer(self, credential: str) -> Found | None:
        found = self.found.get(credential)
        if found and found.key_id:  # the token of a session is no bearer token
            return found
        found = None
        if parts := api_keys.parts(credential):
            store = await self._opening.get()
            found = await self._by_key(store, *parts)
        elif credential.count(".") == 2:  # noqa: PLR2004  # a JWT: header, claims, signature
            return await self._by_token(await self._opening.get(), credential)
        if found is not None:
            self.found.put(credential, found)
        return found

    async def _by_key(self, store: Store, key_id: str, secret: str) -> Found | None:
        holder = await store.keys.find(key_id)
        if holder is None or not api_keys.opens(self._secret(), holder, secret):
            return None
        await store.keys.used(holder.key)
        return Found(holder.account, holder.key.id, frozenset(holder.key.scopes))

    async def _by_token(self, store: Store, text: str) -> Found | None:
        claims = await self._tokens.read(store, text)
        holder = claims and await store.keys.find(claims.key_id)
        if not claims or not holder:
            return None
        scopes = claims.scopes & frozenset(holder.key.scopes)
        found = Found(holder.account, holder.key.id, scopes, is_token=True)
        self.found.put(text, found, claims.seconds_left())
        return found
