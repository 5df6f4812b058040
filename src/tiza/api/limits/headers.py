"""Limits told in headers: `RateLimit` and `RateLimit-Policy`.

See draft-ietf-httpapi-ratelimit-headers. Structured fields (RFC 9651): lists of names
with parameters. `q` is the quota, `w` its window and `t` the time until all of it is there again,
both in seconds; `r` is what remains.
"""

from collections.abc import Callable, Sequence

from tiza.api.limits.policy import STREAMS, TOKENS
from tiza.api.limits.quota import Left

NAMES = ("RateLimit", "RateLimit-Policy")
UNITS = {TOKENS: ';qu="tokens"', STREAMS: ';qu="concurrent-requests"'}


def written(left: Sequence[Left]) -> dict[str, str]:
    """Return both headers."""
    return dict(zip(NAMES, (_joined(left, _state), _joined(left, _policy)), strict=True))


def _joined(left: Sequence[Left], write: Callable[[Left], str]) -> str:
    return ", ".join(f'"{each.quota.name}"{write(each)}' for each in left)


def _state(of: Left) -> str:
    return f";r={of.remaining};t={of.reset}" if of.quota.seconds else f";r={of.remaining}"


def _policy(of: Left) -> str:
    window = f";w={of.quota.seconds}" if of.quota.seconds else ""
    return f";q={of.quota.amount}{UNITS.get(of.quota.name, '')}{window}"
