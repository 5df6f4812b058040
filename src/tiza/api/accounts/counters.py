"""Who reads the counters without an account: whoever is on this machine, or has METRICS_KEY."""

from hmac import compare_digest

from starlette.datastructures import Headers
from starlette.types import Scope

from tiza.api.accounts.places import COUNTERS
from tiza.api.proxies import IS_LOCAL

BEARER = "bearer "


def for_monitor(scope: Scope, key: str) -> bool:
    """Tell whether the counters are asked for with the monitor's key; none opens nothing."""
    if scope["path"] not in COUNTERS or not key:
        return False
    given = Headers(scope=scope).get("authorization", "")
    credential = given[len(BEARER) :].strip()
    return given[: len(BEARER)].lower() == BEARER and compare_digest(
        credential.encode(), key.encode()
    )


def from_here(scope: Scope) -> bool:
    """Tell whether the counters are asked for on this machine."""
    return scope["path"] in COUNTERS and bool(scope["state"][IS_LOCAL])
