"""Which quotas hold for whom."""

import dataclasses

import pytest

from tiza.api.callers import Caller
from tiza.api.limits.policy import SHARING, Policy
from tiza.settings import Settings
from tiza.store.credentials import Role
from tiza.store.records import Person

STRANGER = Caller(address="192.0.2.7")
ANA = Caller(Person(7), "student", "", "192.0.2.7")


def policy(**settings: object) -> Policy:
    """Return the policy of these settings."""
    return Policy(Settings(_env_file=None, **settings))  # type: ignore[call-arg, arg-type]  # pydantic's


def amounts(caller: Caller, **settings: object) -> dict[str, int]:
    """Return the amounts by key."""
    return {quota.key: quota.amount for quota in policy(**settings).quotas(caller)}


def test_stranger_is_counted_by_address_when_the_network_can_ask() -> None:
    """What one student may is all that strangers at one address may together."""
    assert amounts(STRANGER, host="0.0.0.0") == {  # noqa: S104  # a setting
        "requests:address:192.0.2.7": 600,
        "tokens:address:192.0.2.7": 200_000,
        "streams:address:192.0.2.7": 16,
    }


def test_address_may_use_more_when_the_caller_is_known() -> None:
    """A school has one router: known people are counted one by one, their address as a class."""
    found = amounts(dataclasses.replace(ANA, key_id="k1"), max_requests=10)
    requests = {key: amount for key, amount in found.items() if key.startswith("requests")}
    assert requests == {
        "requests:user:7": 10,
        "requests:key:k1": 10,
        "requests:address:192.0.2.7": 10 * SHARING,
    }


@pytest.mark.parametrize(
    ("role", "tokens"), [("student", 200_000), ("teacher", 2_000_000), ("admin", None)]
)
def test_tokens_depend_on_the_role(role: Role, tokens: int | None) -> None:
    """Each role has its own; 0 stands for any number."""
    caller = dataclasses.replace(ANA, role=role)
    assert amounts(caller, host="::").get("tokens:user:7") == tokens


def test_nothing_holds_when_only_this_machine_can_ask() -> None:
    """A teacher at their own laptop meets no limit."""
    for host in ("127.0.0.1", "::1", "localhost"):
        assert policy(host=host).quotas(STRANGER) == []


def test_limits_hold_everywhere_when_one_was_chosen() -> None:
    """Whoever sets a limit means it."""
    assert amounts(STRANGER, max_requests=5)["requests:address:192.0.2.7"] == 5


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "address:2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "address:192.0.2.7"),
        ("fe80::1%eth0", "address:fe80::/64"),
        ("", "address:"),
        ("a socket", "address:a socket"),
    ],
)
def test_network_is_counted_when_the_address_is_of_ipv6(address: str, subject: str) -> None:
    """Whoever has one address there has 2^64."""
    quotas = policy(max_requests=5).quotas(Caller(address=address))
    assert {quota.subject for quota in quotas} == {subject}
