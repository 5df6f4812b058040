"""`tiza user …`, `tiza key …`, `tiza audit`: accounts, without a running service."""

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tiza.cli.taxonomy import as_json_option

if TYPE_CHECKING:
    from tiza.settings import Settings
    from tiza.store.credentials import AccountRole
    from tiza.store.store import Store

T = TypeVar("T")
ROLES = ("student", "teacher", "admin")
SCOPES = ("chat", "conversations", "stats", "users")


def with_store(work: "Callable[[Store, Settings], Awaitable[T]]") -> T:
    """Open the store, do the work, and close it."""
    import asyncio

    from tiza.settings import load
    from tiza.store.store import opened

    async def run() -> T:
        settings = load()
        async with opened(settings.store_url) as store:
            return await work(store, settings)

    return asyncio.run(run())


@click.group(help=_("Look after accounts (AUTH_MODE accounts or oidc)."))
def user() -> None:
    """Hold the verbs on accounts."""


role_option = click.option(
    "--role",
    type=click.Choice(ROLES),
    default="student",
    show_default=True,
    help=_("What they may do."),
)


@user.command(help=_("Make an account, and print the link with which its owner sets a password."))
@click.argument("name")
@role_option
def add(name: str, role: "AccountRole") -> None:
    """Make an account."""
    from tiza.api.accounts import links
    from tiza.store.credentials import By
    from tiza.store.names import CHARS, FORM

    if len(name) > CHARS or not re.match(FORM, name):
        words = _("a name has at most {chars} characters, and no /")
        raise click.BadParameter(words.format(chars=CHARS))

    async def work(store: "Store", settings: "Settings") -> str:
        account = await store.accounts.create(By(), name, role)
        token = await store.invitations.for_password(By(), account)
        return links.password(settings, token)

    click.echo(with_store(work))


@user.command(name="list", help=_("List all accounts."))
@as_json_option
def list_(*, as_json: bool) -> None:
    """Print the accounts."""

    async def work(store: "Store", _settings: "Settings") -> Sequence[dict[str, Any]]:
        return [
            {"name": a.name, "role": a.role, "disabled": a.disabled, "created_at": a.created_at}
            for a in await store.accounts.list()
        ]

    _print(with_store(work), as_json=as_json)


@user.command(help=_("Shut an account out, with its sessions, keys and tokens."))
@click.argument("name")
@click.option("--undo", is_flag=True, help=_("Let it in again."))
def disable(name: str, *, undo: bool) -> None:
    """Disable an account, or enable it."""
    from tiza.store.credentials import By

    with_store(lambda store, _settings: store.accounts.disable(By(), name, disabled=not undo))


@user.command(help=_("Give an account another role."))
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
def role(name: str, role: "AccountRole") -> None:
    """Give a role."""
    from tiza.store.credentials import By

    with_store(lambda store, _settings: store.accounts.give_role(By(), name, role))


@user.command(help=_("Print a link with which somebody sets a new password."))
@click.argument("name")
def reset(name: str) -> None:
    """Make a link."""
    from tiza.api.accounts import links
    from tiza.store.credentials import By

    async def work(store: "Store", settings: "Settings") -> str:
        account = await store.accounts.named(name)
        return links.password(settings, await store.invitations.for_password(By(), account))

    click.echo(with_store(work))


@user.command(help=_("Print a link with which a class makes its accounts."))
@role_option
@click.option(
    "--uses", type=click.IntRange(1, 1000), default=1, help=_("How many may join with it.")
)
@click.option(
    "--days", type=click.IntRange(1, 366), default=14, help=_("For how many days it is valid.")
)
@click.option("--label", default="", help=_("For whom it is, a class for example."))
def invite(role: "AccountRole", uses: int, days: int, label: str) -> None:
    """Make an invitation."""
    from tiza.api.accounts import links
    from tiza.store.credentials import By

    async def work(store: "Store", settings: "Settings") -> str:
        age = timedelta(days=days)
        _made, token = await store.invitations.create(By(), role, age, uses, label)
        return links.invitation(settings, token)

    click.echo(with_store(work))


@click.group(help=_("Look after API keys."))
def key() -> None:
    """Hold the verbs on keys."""


@key.command(help=_("Make an API key for an account; it is printed this once."))
@click.argument("user_name", metavar="USER")
@click.option("--name", default="key", show_default=True, help=_("What the key is for."))
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    default=("chat",),
    show_default=True,
    help=_("What it may be used for; more than one may be given."),
)
@click.option(
    "--days", type=click.IntRange(1, 3660), default=90, help=_("For how many days it is valid.")
)
def create(user_name: str, name: str, scopes: Sequence[str], days: int) -> None:
    """Make a key."""
    from tiza.api.accounts import api_keys
    from tiza.api.accounts.secret import server_secret
    from tiza.store.credentials import By

    async def work(store: "Store", settings: "Settings") -> str:
        account = await store.accounts.named(user_name)
        end = datetime.now(UTC) + timedelta(days=days)
        made, kept, text = api_keys.make(server_secret(settings), name, scopes, end)
        await store.keys.add(By(), account.person, made, kept)
        return text

    click.echo(with_store(work))


@key.command(name="list", help=_("List the API keys of an account."))
@click.argument("user_name", metavar="USER")
@as_json_option
def list_keys(user_name: str, *, as_json: bool) -> None:
    """Print what is known of them."""

    async def work(store: "Store", _settings: "Settings") -> Sequence[dict[str, Any]]:
        account = await store.accounts.named(user_name)
        return [asdict(each) for each in await store.keys.list(account.person)]

    _print(with_store(work), as_json=as_json)


@key.command(help=_("Revoke an API key, and every token that was made with it."))
@click.argument("user_name", metavar="USER")
@click.argument("key_id", metavar="KEY_ID")
def revoke(user_name: str, key_id: str) -> None:
    """Revoke a key."""
    from tiza.store.credentials import By

    async def work(store: "Store", _settings: "Settings") -> None:
        account = await store.accounts.named(user_name)
        await store.keys.revoke(By(), account.person, key_id)

    with_store(work)


@click.command(help=_("Show who did what: sign-ins, keys, roles, exports, deletions."))
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help=_("How many entries, the newest first."),
)
@as_json_option
def audit(limit: int, *, as_json: bool) -> None:
    """Print the newest entries of the audit log."""

    async def work(store: "Store", _settings: "Settings") -> Sequence[dict[str, Any]]:
        return [asdict(each) for each in await store.audit.newest(limit)]

    _print(with_store(work), as_json=as_json)


def _print(rows: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    """Print rows as JSON, or one a line."""
    if as_json:
        click.echo(json.dumps(rows, default=str, ensure_ascii=False, indent=2))
        return
    for row in rows:
        click.echo("  ".join(_cell(value) for value in row.values()))


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes")
    if isinstance(value, tuple | list):
        return ",".join(map(str, value))
    return "-" if value in (None, "") else str(value)
