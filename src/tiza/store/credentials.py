"""What the store knows of accounts: plain, immutable records. Knows no database and no secrets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from tiza.store.records import NOBODY, Person

Role = Literal["guest", "student", "teacher", "admin"]  # a guest has no account
AccountRole = Literal["student", "teacher", "admin"]
ROLES: Sequence[str] = get_args(AccountRole)
LONGEST_SESSION = timedelta(days=30)


@dataclass(frozen=True)
class By:
    """Who does something, and from where, for the audit log."""

    person: Person = NOBODY
    address: str = ""


@dataclass(frozen=True)
class Account:
    """A person with a name and a role."""

    person: Person
    name: str
    role: AccountRole
    created_at: datetime
    disabled: bool = False


@dataclass(frozen=True)
class Key:
    """An API key without its secret. `id` is public: the key begins with it."""

    id: str
    name: str
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None


@dataclass(frozen=True)
class KeyHolder:
    """What an API key leads to: itself, the keyed hash of its secret, and whose it is."""

    key: Key
    secret_hash: bytes
    account: Account


@dataclass(frozen=True)
class Invitation:
    """Leave to make accounts of a role; `label` says for whom, a class for example."""

    id: str
    role: AccountRole
    label: str
    uses_left: int
    expires_at: datetime


@dataclass(frozen=True)
class AuditEntry:
    """Something that was done. People are numbers, so that a name can be forgotten."""

    at: datetime
    action: str
    actor: int | None
    subject: str
    address: str


@dataclass(frozen=True)
class SigningKey:
    """A key that signs tokens: `sealed` is the private part, encrypted; `public` a JWK."""

    id: str
    sealed: str
    public: str
    created_at: datetime
