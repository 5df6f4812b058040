"""Who may go where, by path alone, so that a new endpoint is closed until it is listed here.

Whose an object is, is not decided here: the store finds everybody only what is theirs.
"""

from collections.abc import Mapping

from tiza.api.callers import Caller
from tiza.errors import Forbidden
from tiza.store.credentials import Role

PUBLIC = frozenset(
    {
        *("/health", "/health/live", "/health/ready", "/auth", "/auth/sign-in", "/auth/join"),
        *("/auth/reset", "/auth/jwks", "/auth/oidc", "/auth/oidc/callback"),
    }
)
COUNTERS = frozenset({"/stats", "/metrics"})  # for admins, and for whoever is on this machine
FOR_KEYS: Mapping[str, str] = {  # the scope that a key needs, by the first part of the path
    "": "chat",
    "chat": "chat",
    "models": "chat",
    "suggestions": "chat",
    "v1": "chat",
    "conversations": "conversations",
    "messages": "conversations",
    "streams": "conversations",
    "stats": "stats",
    "metrics": "stats",
    "users": "users",
    "invitations": "users",
}
FOR_EVERY_KEY = frozenset(
    {
        ("GET", "/me"),
        *(("POST", "/auth/token"), ("POST", "/auth/token/revoke")),
    }
)
TEACHING = frozenset({"lessons", "store", "runs"})  # without accounts, for this machine alone
ROLES: Mapping[str, tuple[Role, ...]] = {
    "stats": ("admin",),
    "metrics": ("admin",),
    "users": ("admin",),
    "invitations": ("teacher", "admin"),
    **dict.fromkeys(TEACHING, ("teacher", "admin")),
}


def check(method: str, path: str, caller: Caller) -> None:
    """Let somebody known go on.

    Raises:
        Forbidden: their role, or the key that they use, does not allow it.

    """
    first = first_part(path)
    if first in ROLES and caller.role not in ROLES[first]:
        raise Forbidden
    if caller.key_id and not _key_may(method, path, first, caller.scopes):
        raise Forbidden


def first_part(path: str) -> str:
    """Return what decides who may go there."""
    return path.split("/", 2)[1] if path.startswith("/") else path


def _key_may(method: str, path: str, first: str, scopes: frozenset[str]) -> bool:
    if (method, path) in FOR_EVERY_KEY:
        return True
    if path == "/me/export":
        return "conversations" in scopes
    return FOR_KEYS.get(first) in scopes
