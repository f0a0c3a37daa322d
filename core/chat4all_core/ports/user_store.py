"""Where accounts lie."""

from collections.abc import Collection
from typing import Protocol

from chat4all_core.domain.ids import UserId
from chat4all_core.domain.user import User


class UserStore(Protocol):
    """Usernames are unique by `username_key`."""

    async def create(self, user: User, password_hash: str) -> bool:
        """Store an account; False when the username is taken."""
        ...

    async def get(self, user_id: UserId) -> User | None:
        """An account by id, or None."""
        ...

    async def find(self, username: str) -> tuple[User, str] | None:
        """An account and its password hash by username, without case, or None."""
        ...

    async def set_admin(self, username: str, is_admin: bool) -> User | None:
        """Make the account with a username, without case, an admin or none any more; it is returned, or None when
        there is none."""
        ...

    async def existing(self, user_ids: Collection[UserId]) -> Collection[UserId]:
        """Those that exist."""
        ...
