"""Whether a port is free."""

import contextlib
import socket

import pytest

from tests.engines.processes import free_port, listener
from tiza.engines.ports import check_port_free
from tiza.errors import PortTaken, SettingsError


def has_ipv6() -> bool:
    """Tell whether this machine has IPv6 on loopback."""
    try:
        with listener("::1"):
            return True
    except OSError:
        return False


def test_check_passes_when_the_port_is_free() -> None:
    """A free port stays free: asking does not take it."""
    port = free_port()

    check_port_free("127.0.0.1", port, "PORT")
    check_port_free("127.0.0.1", port, "PORT")


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104  # asked about, not bound
def test_check_names_the_port_and_the_variable_when_it_is_taken(host: str) -> None:
    """The error says which port, and which setting chooses another."""
    with listener() as port, pytest.raises(PortTaken) as caught:
        check_port_free(host, port, "VLLM_PORT")

    message = caught.value.message()
    assert f"Port {port} on {host}" in message
    assert f"VLLM_PORT={port + 1}" in message


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_check_sees_an_ipv6_listener_when_the_host_is_ipv6() -> None:
    """An IPv6 address is looked at as one."""
    with listener("::1") as port:
        with pytest.raises(PortTaken):
            check_port_free("::1", port, "PORT")
        with pytest.raises(PortTaken):
            check_port_free("::", port, "PORT")
    check_port_free("::1", port, "PORT")


def test_check_proposes_a_port_that_exists_when_the_last_is_taken() -> None:
    """There is no port 65536 to propose."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # somebody else has it: all the better
            stack.enter_context(listener(port=65535))

        with pytest.raises(PortTaken, match="PORT=65534"):
            check_port_free("127.0.0.1", 65535, "PORT")


def test_check_passes_when_connections_have_just_been_closed() -> None:
    """A restart need not wait until the system has forgotten the last connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        connection, _ = server.accept()
        connection.close()  # the side that closes first keeps the port in TIME_WAIT
        client.close()

    check_port_free("127.0.0.1", port, "PORT")


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_check_does_not_blame_another_program_when_the_address_is_wrong(host: str) -> None:
    """An address that is not this machine's is a wrong setting, not a taken port."""
    with pytest.raises(SettingsError, match=host):
        check_port_free(host, 8000, "PORT")
