"""Is a port free? Asked before a process is started that would fail on it."""

import socket

from tiza.errors import PortTaken


def check_port_free(host: str, port: int, variable: str) -> None:
    """Raise PortTaken, naming the variable that chooses another port, unless it can be bound."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            free = port + 1 if port < 65535 else port - 1  # noqa: PLR2004  # the last port
            raise PortTaken(host=host, port=port, variable=variable, free=free) from exc
