"""What has to be in order before the API listens: better no service than an unguarded one.

"In production" means here that it listens on an address which others can reach.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from tiza.errors import Problem, SettingsError
from tiza.settings import Settings
from tiza.translation import N_

SECRET_CHARS, SECRET_KINDS = 32, 10  # least length, and least number of different characters
PLACEHOLDERS = frozenset(
    [
        "admin",
        "change-me",
        "change_me",
        "changeit",
        "changeme",
        "default",
        "dev",
        "example",
        "insecure",
        "key",
        "none",
        "null",
        "pass",
        "password",
        "placeholder",
        "postgres",
        "redis",
        "replace-me",
        "root",
        "secret",
        "test",
        "tiza",
        "todo",
        "token",
        "your-key",
        "your-secret",
    ]
)

OPEN = N_(
    "is {host}, which others can reach, while AUTH_MODE is open and would let in everybody: "
    "choose accounts, listen on 127.0.0.1, or say with OPEN_TO_NETWORK=true that something in "
    "front lets in only those who may"
)
WILDCARD = N_(
    "must name each site: with accounts, * would let every site act for who has signed in"
)
EMPTY = N_("is empty: nobody may guess it where others can reach the service")
PLACEHOLDER = N_("is a word that stands in every example, and no secret")
WEAK = N_("must have at least {chars} characters, made by chance")
NEEDED = N_("is needed when AUTH_MODE is oidc")
ALONE = N_(
    "needs REDIS_URL when it is more than 1: without it, no process would know of the limits and "
    "the running answers of the others"
)
PLAIN_HTTP = N_("must begin with https:// unless it is on this machine")


def check(settings: Settings) -> None:
    """Refuse to serve in a way that would let in anybody.

    Raises:
        SettingsError: naming every variable that has to change.

    """
    rules = (_openness, _secrets, _provider, _processes)
    if problems := [problem for rule in rules for problem in rule(settings)]:
        raise SettingsError(problems)


def is_loopback(host: str) -> bool:
    """Tell whether an address is reachable from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _openness(settings: Settings) -> Iterator[Problem]:
    is_open = settings.auth_mode == "open"
    if is_open and not is_loopback(settings.host) and not settings.open_to_network:
        yield "HOST", OPEN, {"host": settings.host}
    if not is_open and "*" in settings.cors_origins:
        yield "CORS_ORIGINS", WILDCARD, {}


def _secrets(settings: Settings) -> Iterator[Problem]:
    secret = settings.secret_key.get_secret_value()
    monitor = settings.metrics_key.get_secret_value()
    for variable, value in (("SECRET_KEY", secret), ("METRICS_KEY", monitor)):
        if value and (len(value) < SECRET_CHARS or len(set(value)) < SECRET_KINDS):
            yield variable, WEAK, {"chars": SECRET_CHARS}
    if is_loopback(settings.host):
        return
    if not secret and settings.auth_mode != "open":
        yield "SECRET_KEY", EMPTY, {}
    engines = [urlsplit(url).hostname or "" for url in settings.engine_urls]
    if not settings.vllm_api_key.get_secret_value() and not all(map(is_loopback, engines)):
        yield "VLLM_API_KEY", EMPTY, {}
    for variable, value in (
        ("VLLM_API_KEY", settings.vllm_api_key.get_secret_value()),
        ("OIDC_CLIENT_SECRET", settings.oidc_client_secret.get_secret_value()),
        ("DATABASE_URL", urlsplit(settings.database_url.get_secret_value()).password or ""),
        ("REDIS_URL", urlsplit(settings.redis_url.get_secret_value()).password or ""),
    ):
        if value.casefold() in PLACEHOLDERS:
            yield variable, PLACEHOLDER, {}


def _provider(settings: Settings) -> Iterator[Problem]:
    if settings.auth_mode != "oidc":
        return
    for variable in ("oidc_issuer", "oidc_client_id", "public_url"):
        value = str(getattr(settings, variable))
        if not value:
            yield variable, NEEDED, {}
        elif value.startswith("http://") and not is_loopback(urlsplit(value).hostname or ""):
            yield variable, PLAIN_HTTP, {}


def _processes(settings: Settings) -> Iterator[Problem]:
    if settings.workers > 1 and not settings.redis_url.get_secret_value():
        yield "WORKERS", ALONE, {}
