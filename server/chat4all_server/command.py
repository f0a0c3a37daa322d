"""`python -m chat4all_server`: one of any number of servers of the distributed platform."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence

import uvloop

from chat4all_core.config import Settings, load_settings, to_text
from chat4all_core.interpreter import settle_interpreter
from chat4all_core.setting import SettingsError
from chat4all_core.telemetry.logging import configure_logging
from chat4all_server.admin_command import run_admin
from chat4all_server.process import START_ERRORS, open_users, serve


def run(arguments: Sequence[str] | None = None) -> int:
    """Do what `admin` says, or serve until SIGTERM, after which calls are still taken for
    CHAT4ALL_SERVER_DRAIN_SECONDS, or until SIGINT.

    Returns 0 then, 1 when it can't serve, 2 for wrong settings.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["admin"]:
        return run_admin("python -m chat4all_server", given[1:], open_users, START_ERRORS)
    parser = argparse.ArgumentParser(prog="python -m chat4all_server", description=__doc__)
    parser.add_argument("--check-config", action="store_true", help="print the settings, without secrets, and end")
    options = parser.parse_args(given)
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    if options.check_config:
        print(to_text(settings))
        return 0
    configure_logging(settings.telemetry.log_level)
    settle_interpreter()
    try:
        uvloop.run(_serve(settings))
    except START_ERRORS as error:
        print(f"the server can't start: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(settings: Settings) -> None:
    drain, stop = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, drain.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    await serve(settings, drain, stop)
