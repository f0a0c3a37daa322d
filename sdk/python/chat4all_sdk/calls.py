"""What the groups of calls have in common: the connection they go over."""

from chat4all_sdk.connection import Connection

__all__ = ["Calls"]


class Calls:
    """Base of each group of calls of a client."""

    @property
    def _connection(self) -> Connection:
        """The open connection. Raises RuntimeError when the client is not open."""
        raise NotImplementedError
