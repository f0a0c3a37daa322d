"""`… admin grant USERNAME`: makes accounts operators of the platform, the first one among them."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from chat4all_core.config import Settings, load_settings
from chat4all_core.domain.user import User
from chat4all_core.ports.user_store import UserStore
from chat4all_core.setting import SettingsError

OpenUsers = Callable[[Settings], AbstractAsyncContextManager[UserStore]]


def run_admin(
    program: str, arguments: Sequence[str], open_users: OpenUsers, errors: tuple[type[Exception], ...]
) -> int:
    """Grant or revoke. It works beside a platform that serves.

    Args:
        program: how the command is called, for its help.
        arguments: those after `admin`.
        open_users: opens the platform's accounts.
        errors: what `open_users` raises that an operator can mend.

    Returns:
        0 when it is done, 1 when it can't be, 2 for wrong arguments or settings.
    """
    parser = argparse.ArgumentParser(prog=f"{program} admin", description="Say who operates the platform.")
    parser.add_argument("action", choices=("grant", "revoke"), help="shows in tokens issued from then on")
    parser.add_argument("username", help="of a registered account")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        user = asyncio.run(_set_admin(settings, open_users, options.username, options.action == "grant"))
    except errors as error:
        print(f"it can't be done: {error}", file=sys.stderr)
        return 1
    if user is None:
        print(f"there is no user {options.username}: register the account first", file=sys.stderr)
        return 1
    what = "operates the platform" if user.is_admin else "does not operate the platform any more"
    print(f"{user.username} {what}, as tokens issued from now on say: log in again.")
    return 0


async def _set_admin(settings: Settings, open_users: OpenUsers, username: str, is_admin: bool) -> User | None:
    async with open_users(settings) as users:
        return await users.set_admin(username, is_admin)
