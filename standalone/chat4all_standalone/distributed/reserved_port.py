"""Ports that stay with a process over its restarts."""

import socket


class ReservedPort:
    """A port on loopback that the system gives to nobody who asks for any port, and that only a listener who is told
    it gets: a socket is bound to it, with the option that lets a listener bind it too, and never listens."""

    def __init__(self, wanted: int = 0) -> None:
        """Raises OSError when the port is taken; 0 takes any free one."""
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", wanted))
        except OSError:
            self._socket.close()
            raise
        self.number: int = self._socket.getsockname()[1]

    def close(self) -> None:
        """Let go of it."""
        self._socket.close()
