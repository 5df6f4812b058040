"""Is a port free? Asked before a process is started that would fail on it."""

import contextlib
import errno
import socket

from tiza.errors import PortTaken, SettingsError
from tiza.translation import N_

CANNOT_LISTEN = N_("cannot listen on {host}:{port} ({reason})")


def check_port_free(host: str, port: int, variable: str) -> None:
    """Bind the port for a moment.

    Raises:
        PortTaken: another program listens there; `variable` chooses another port.
        SettingsError: nobody can listen there: not an address of this machine, a reserved port.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE:
                raise SettingsError.of(
                    variable, CANNOT_LISTEN, host=host, port=port, reason=exc.strerror
                ) from exc
            free = port + 1 if port < 65535 else port - 1  # noqa: PLR2004  # the last port
            raise PortTaken(host=host, port=port, variable=variable, free=free) from exc


def free_port(host: str, wanted: int) -> int:
    """Return the wanted port if nobody listens there now, else one that the system chooses."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in (wanted, 0):
        with socket.socket(family, socket.SOCK_STREAM) as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    return wanted
