"""Accounts on Cassandra."""

from collections.abc import Collection, Mapping

from chat4all_core.adapters.cassandra.query import Query, is_key
from chat4all_core.adapters.cassandra.request_groups import key_groups
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.domain.ids import UserId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.domain.user import User, username_key

_CQL = {
    "insert": "INSERT INTO users (user_id, username, email, created_at) VALUES (?, ?, ?, ?)",
    "delete": "DELETE FROM users WHERE user_id = ?",
    "get": "SELECT user_id, username, email, created_at, is_admin FROM users WHERE user_id = ?",
    "find": "SELECT user_id, username, email, created_at, is_admin, password_hash FROM usernames"
    " WHERE username_key = ?",
    "copy_admin": "UPDATE users SET is_admin = ? WHERE user_id = ?",
    "existing": "SELECT user_id FROM users WHERE user_id IN ?",
}
_CONDITIONAL_CQL = {
    "claim": "INSERT INTO usernames (username_key, user_id, username, email, created_at, password_hash)"
    " VALUES (?, ?, ?, ?, ?, ?) IF NOT EXISTS",
    "set_admin": "UPDATE usernames SET is_admin = ? WHERE username_key = ? IF EXISTS",
}


class CassandraUserStore:
    """Implements UserStore."""

    def __init__(self, session: Session, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._queries = queries

    @classmethod
    async def open(cls, session: Session) -> "CassandraUserStore":
        """With its statements prepared."""
        return cls(session, await session.prepare(_CQL) | await session.prepare(_CONDITIONAL_CQL, idempotent=False))

    async def create(self, user: User, password_hash: str) -> bool:
        """See UserStore.create. After UnavailableError the account may exist; the same call again says True then."""
        account = (user.user_id, user.username, user.email, user.created_at)
        # By id first: whoever finds the name must find the account, and nobody knows the id of one that got no name.
        await self._session.execute(self._queries["insert"].bind(*account))
        outcome = await self._session.execute_conditional(
            self._queries["claim"].bind(username_key(user.username), *account, password_hash)
        )
        if outcome.applied or outcome.values["user_id"] == user.user_id:
            return True
        await self._session.execute(self._queries["delete"].bind(user.user_id))
        return False

    async def get(self, user_id: UserId) -> User | None:
        """See UserStore.get."""
        if not is_key(user_id):
            return None
        rows = await self._session.execute(self._queries["get"].bind(user_id))
        return _user(*rows[0]) if rows else None

    async def find(self, username: str) -> tuple[User, str] | None:
        """See UserStore.find."""
        name = username_key(username)
        if not is_key(name):
            return None
        rows = await self._session.execute(self._queries["find"].bind(name))
        return (_user(*rows[0][:5]), rows[0][5]) if rows else None

    async def set_admin(self, username: str, is_admin: bool) -> User | None:
        """See UserStore.set_admin. After UnavailableError it may be done in part; the same call again does the rest."""
        if await self.find(username) is None:
            return None
        await self._session.execute_conditional(self._queries["set_admin"].bind(is_admin, username_key(username)))
        found = await self.find(username)
        if found is None:
            return None
        await self._session.execute(self._queries["copy_admin"].bind(is_admin, found[0].user_id))
        return found[0]

    async def existing(self, user_ids: Collection[UserId]) -> Collection[UserId]:
        """See UserStore.existing."""
        possible = [user_id for user_id in user_ids if is_key(user_id)]
        answers = await self._session.execute_all(
            self._queries["existing"].bind_for(key, group)
            for key, group in key_groups(self._session, possible, str.encode)
        )
        return {user_id for rows in answers for (user_id,) in rows}


def _user(user_id: UserId, username: str, email: str, created_at: int, is_admin: bool | None) -> User:
    return User(user_id, username, email, Timestamp(created_at), bool(is_admin))
