"""What clients send and receive about accounts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tiza.api.schemas import whole
from tiza.store.credentials import AccountRole, Role
from tiza.store.names import CHARS, FORM

PLAIN = r"^[^\x00-\x1f\x7f]*$"
MOST_USES, MOST_DAYS = 1000, 366

Name = Annotated[str, Field(min_length=1, max_length=CHARS, pattern=FORM)]
Password = Annotated[str, Field(max_length=1000)]  # the rules for a new one are `passwords`' affair
Link = Annotated[str, Field(max_length=128)]
Days = Annotated[int, Field(ge=1, le=MOST_DAYS), BeforeValidator(whole)]
Scope = Literal["chat", "conversations", "stats", "users"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class SignInRequest(_Body):
    """`POST /auth/sign-in`."""

    name: Annotated[str, Field(max_length=CHARS)]
    password: Password


class JoinRequest(_Body):
    """`POST /auth/join`: the token of an invitation, and what one wants to be called."""

    token: Link
    name: Name
    password: Password


class ResetRequest(_Body):
    """`POST /auth/reset`: the token of a link, and the new password."""

    token: Link
    password: Password


class PasswordChange(_Body):
    """`PUT /me/password`."""

    password: Password
    new_password: Password


class KeyRequest(_Body):
    """`POST /me/keys`. `days` is how long it is valid; null: until it is revoked."""

    name: Annotated[str, Field(min_length=1, max_length=CHARS, pattern=PLAIN)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=4)] = ["chat"]
    days: Days | None = 90


class TokenRequest(_Body):
    """`POST /auth/token`: some of the key's scopes; null: all of them."""

    scopes: Annotated[list[Scope], Field(min_length=1, max_length=4)] | None = None


class TokenRevocation(_Body):
    """`POST /auth/token/revoke`."""

    token: Annotated[str, Field(max_length=4096)]


class InvitationRequest(_Body):
    """`POST /invitations`: for how many, how long, and for whom (a class, for example)."""

    role: AccountRole = "student"
    uses: Annotated[int, Field(ge=1, le=MOST_USES), BeforeValidator(whole)] = 1
    days: Days = 14
    label: Annotated[str, Field(max_length=CHARS, pattern=PLAIN)] = ""


class NewUser(_Body):
    """`POST /users`."""

    name: Name
    role: AccountRole = "student"


class UserChange(_Body):
    """`PATCH /users/{name}`."""

    role: AccountRole | None = None
    disabled: bool | None = None


class Entrance(BaseModel):
    """`GET /auth`: how one gets in here."""

    mode: Literal["open", "accounts", "oidc"]
    sign_in: str = Field(description="Where a browser goes to sign in; empty: by password.")


class Me(BaseModel):
    """`GET /me`: who asks. Guests have no account, and no name."""

    mode: Literal["open", "accounts", "oidc"]
    role: Role
    name: str


class Standing(Me):
    """`GET /me`: who asks, and what is left of their requests, tokens and answers at a time."""

    quota: Mapping[str, Mapping[str, int]] | None = Field(
        description="Limits and what remains, by name; empty: none hold; null: nobody can count."
    )


class User(BaseModel):
    """Somebody with an account."""

    name: str
    role: AccountRole
    disabled: bool
    created_at: datetime


class NewKey(BaseModel):
    """A key that was just made. `key` is never shown again."""

    id: str
    key: str
    scopes: Sequence[str]
    expires_at: datetime | None


class AccessToken(BaseModel):
    """As RFC 6749, 5.1 has it."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  # a kind, no secret
    expires_in: int
    scope: str


class NewLink(BaseModel):
    """A link that was just made. It is never shown again."""

    link: str
    id: str = ""
    expires_at: datetime | None = None
