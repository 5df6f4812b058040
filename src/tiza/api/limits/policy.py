"""Which quotas hold for whom. Knows the settings and no counters."""

import ipaddress

from tiza.api.callers import Caller
from tiza.api.limits.quota import Quota
from tiza.settings import Settings
from tiza.store.credentials import Role
from tiza.store.records import NOBODY

REQUESTS, TOKENS, STREAMS = "requests", "tokens", "streams"
HOUR, DAY = 3600, 24 * 3600
SHARING = 40  # people at one address: a school has one router
IPV6_NETWORK = 64  # bits that one connection to the internet is given


class Policy:
    """The quotas of an installation."""

    def __init__(self, settings: Settings) -> None:
        self._holds = not settings.is_private or settings.limits_given
        self._requests, self._streams = settings.max_requests, settings.max_streams_per_client
        self._tokens: dict[Role, int] = {
            "guest": settings.daily_tokens_student,
            "student": settings.daily_tokens_student,
            "teacher": settings.daily_tokens_teacher,
            "admin": settings.daily_tokens_admin,
        }

    def quotas(self, caller: Caller) -> list[Quota]:
        """Return what a caller must stay within: as a person, with a key, from an address."""
        if not self._holds:
            return []
        found = []
        if caller.person != NOBODY:
            found += self._of(f"user:{caller.person.id}", caller.role)
        if caller.key_id:
            found += self._of(f"key:{caller.key_id}", caller.role)
        share = SHARING if found else 1
        return found + self._of(f"address:{_network(caller.address)}", caller.role, share)

    def _of(self, subject: str, role: Role, share: int = 1) -> list[Quota]:
        amounts = (
            (REQUESTS, self._requests, HOUR),
            (TOKENS, self._tokens[role], DAY),
            (STREAMS, self._streams, 0),
        )
        return [
            Quota(name, subject, amount * share, seconds)
            for name, amount, seconds in amounts
            if amount
        ]


def _network(address: str) -> str:
    """Return the address, of IPv6 the network: whoever has one address there has all."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_NETWORK), strict=False))
