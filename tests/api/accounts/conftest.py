"""A service with accounts, one of each role."""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.api.faulty_engine import FaultyEngine
from tests.api.service import Answer, Service, running, until
from tiza.api.accounts import passwords
from tiza.api.accounts.gates import SESSION
from tiza.store.credentials import AccountRole, By
from tiza.store.store import Store

PASSWORD = "seven green bicycles"
OPERATOR = By()
START_SECONDS = 60.0  # generous: the machine may be busy


@dataclass(frozen=True)
class Class:
    """A running service with people who can sign in."""

    service: Service
    cookies: Mapping[str, str]  # by name

    def session(self, name: str) -> dict[str, str]:
        """Return the headers of somebody's session."""
        return {"Cookie": f"{SESSION}={self.cookies[name]}"}

    async def ask(
        self, name: str, path: str, body: object = None, method: str | None = None
    ) -> Answer:
        """Ask in somebody's session."""
        return await self.service.ask(path, body, method=method, headers=self.session(name))

    async def key(self, name: str, *scopes: str) -> str:
        """Make an API key of somebody's."""
        made = await self.ask(name, "/me/keys", {"name": "k", "scopes": scopes or ["chat"]})
        assert made.status == 201, made.json
        return str(made.json["key"])

    async def with_key(self, key: str, path: str, body: object = None) -> Answer:
        """Ask with a key or a token."""
        return await self.service.ask(path, body, headers={"Authorization": f"Bearer {key}"})


async def sign_in(service: Service, name: str, password: str = PASSWORD) -> Answer:
    """Sign in."""
    return await service.ask("/auth/sign-in", {"name": name, "password": password})


def cookie_of(answer: Answer, name: str = SESSION) -> str:
    """Return the value of a cookie that an answer sets."""
    for header in answer.headers.getall("Set-Cookie", []):
        if header.startswith(f"{name}="):
            return header.partition(";")[0].partition("=")[2]
    return ""


async def join(service: Service, name: str, role: AccountRole, **headers: str) -> str:
    """Make an account by an invitation; return the session's cookie."""
    await until(lambda: service.state.opening.is_open, START_SECONDS)

    async def invite() -> str:
        store: Store = await service.state.opening.get()
        return (await store.invitations.create(OPERATOR, role, timedelta(days=1)))[1]

    token = await service.run(invite)
    body = {"token": token, "name": name, "password": PASSWORD}
    joined = await service.ask("/auth/join", body, headers=headers)
    assert joined.status == 200, joined.json
    return cookie_of(joined)


@pytest.fixture
def cheap_hashes() -> Iterator[None]:
    """Hash passwords quickly, where it is not their hashes that are tested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "PASSES", 1)
        patch.setattr(passwords, "MEMORY_KIB", 64)
        forget_hashes()
        yield
    forget_hashes()


def forget_hashes() -> None:
    """Have the cost of a hash looked at again."""
    passwords._argon2.cache_clear()
    passwords._nobodys.cache_clear()


@pytest.fixture
async def school(engine: FaultyEngine, cheap_hashes: None) -> AsyncIterator[Class]:
    """Run the service in `accounts` mode, with Ana and Ben (students), Tom (teacher), Root."""
    async with running(vllm_api_url=engine.url, auth_mode="accounts") as service:
        roles: dict[str, AccountRole] = {"ana": "student", "ben": "student"}
        roles |= {"tom": "teacher", "root": "admin"}
        cookies = {name: await join(service, name, role) for name, role in roles.items()}
        yield Class(service, cookies)
