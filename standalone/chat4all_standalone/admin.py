"""`python -m chat4all_standalone admin grant USERNAME`, for the accounts in the data directory."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.migration import NewerSchemaError
from chat4all_core.adapters.sqlite.user_store import SqliteUserStore
from chat4all_core.config import Settings
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.ports.user_store import UserStore
from chat4all_server.admin_command import run_admin


class NoDataError(Exception):
    """There is no platform's data where the settings say."""


def run(arguments: Sequence[str]) -> int:
    """See `run_admin`."""
    errors = (NoDataError, NewerSchemaError, UnavailableError)
    return run_admin("python -m chat4all_standalone", arguments, _open_users, errors)


@asynccontextmanager
async def _open_users(settings: Settings) -> AsyncIterator[UserStore]:
    """The accounts. Without the directory's lock, for SQLite itself lets another process write a row in between, and
    no process keeps accounts in memory."""
    path = settings.data.dir / "store.db"
    if not path.exists():
        raise NoDataError(f"{settings.data.dir} holds no platform's data: see CHAT4ALL_DATA_DIR")
    async with aclosing(await Database.open(path, "store")) as database:
        yield SqliteUserStore(database)
