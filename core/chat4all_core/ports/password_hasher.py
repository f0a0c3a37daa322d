"""How passwords are kept."""

from typing import Protocol


class PasswordHasher(Protocol):
    """Slow on purpose, so both run off the event loop."""

    async def hash(self, password: str) -> str:
        """A salted hash with its parameters."""
        ...

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one. With None (no such account) it takes as long and is False, so
        that the time taken does not tell which usernames exist."""
        ...
