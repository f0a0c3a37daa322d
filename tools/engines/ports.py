"""Which ports the engines listen on: the usual ones, the usual ones moved, or free ones."""

import random
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

# Below Linux's ephemeral range (from 32768), so that no outgoing connection takes a port between its
# choice and the engine's start.
_FREE_RANGE = range(20_000, 32_000)


class PortChoice(Protocol):
    """Chooses the port to use in place of a usual one."""

    def pick(self, usual: int, hosts: Sequence[str]) -> int:
        """Return a port to listen on, the same one on all `hosts`."""


@dataclass(frozen=True, slots=True)
class FixedPorts:
    """The usual ports, all moved by `shift`."""

    shift: int = 0

    def pick(self, usual: int, hosts: Sequence[str]) -> int:
        """Return the moved port, free or not."""
        return usual + self.shift


@dataclass(frozen=True, slots=True)
class FreePorts:
    """Ports that nobody listens on now; none is given twice."""

    _given: set[int] = field(default_factory=set)

    def pick(self, usual: int, hosts: Sequence[str]) -> int:
        """Return a port that is free on all hosts."""
        for port in random.sample(_FREE_RANGE, len(_FREE_RANGE)):
            if port not in self._given and all(is_free(host, port) for host in hosts):
                self._given.add(port)
                return port
        raise OSError(f"no free port on {', '.join(hosts)}")


def is_free(host: str, port: int) -> bool:
    """Tell whether a server could listen there; connections that are closing don't count, as for servers."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
