"""Ports that stay with a process over its restarts."""

import socket
from contextlib import closing

import pytest

from chat4all_standalone.distributed.reserved_port import ReservedPort


def test_the_process_gets_its_port() -> None:
    """Whoever is told the port can listen on it, again and again."""
    with closing(ReservedPort()) as port:
        for _ in range(2):
            address = ("127.0.0.1", port.number)
            with socket.create_server(address) as listener, socket.create_connection(address):
                listener.accept()[0].close()


def test_a_port_that_is_taken_is_not_reserved() -> None:
    """Asking for a port on which somebody listens fails."""
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(OSError, match="in use"):
        ReservedPort(listener.getsockname()[1])
