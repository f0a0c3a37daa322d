"""`make run`: the whole platform with one command."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence

import structlog
import uvloop

from chat4all_channels.accounts_file import AccountsFileError
from chat4all_core.adapters.auth.secret_file import SecretFileError
from chat4all_core.adapters.sqlite.agreement import DataDirMismatchError, require_agreement
from chat4all_core.adapters.sqlite.data_dir import DataDirInUseError, locked_data_dir
from chat4all_core.adapters.sqlite.log_succession import succeed_log
from chat4all_core.adapters.sqlite.migration import NewerSchemaError
from chat4all_core.config import Settings, load_settings
from chat4all_core.interpreter import settle_interpreter
from chat4all_core.ports.event_log import TOPICS
from chat4all_core.setting import SettingsError
from chat4all_core.telemetry.logging import configure_logging
from chat4all_server.server import PortError
from chat4all_standalone.banner import banner
from chat4all_standalone.bootstrap import TOPICS_OF_ROLES, open_platform
from chat4all_standalone.envoy import EnvoyStartError
from chat4all_standalone.simulated_channels import SimulatorsStartError

_OPERATORS_ERRORS = (
    AccountsFileError,
    DataDirInUseError,
    DataDirMismatchError,
    EnvoyStartError,
    NewerSchemaError,
    PortError,
    SecretFileError,
    SimulatorsStartError,
)
"""What whoever started the platform can mend: they get the message, not a traceback."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C. Returns 0 then, 1 when it can't serve (any more), 2 for wrong settings."""
    parser = argparse.ArgumentParser(prog="python -m chat4all_standalone", description=__doc__)
    parser.add_argument(
        "--lost-log",
        action="store_true",
        help="do not serve, but begin a new log if the one there is missing or older than the stores: what was "
        "accepted and not handled yet is lost",
    )
    options = parser.parse_args(arguments)
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    configure_logging(settings.telemetry.log_level)
    _tune_interpreter()
    try:
        return _begin_log(settings) if options.lost_log else uvloop.run(_serve(settings))
    except _OPERATORS_ERRORS as error:
        print(f"Chat4All can't start: {error}", file=sys.stderr)
        return 1


def _begin_log(settings: Settings) -> int:
    data_dir = settings.data.dir
    with locked_data_dir(data_dir):
        try:
            require_agreement(data_dir, TOPICS_OF_ROLES)
        except DataDirMismatchError:
            generation = succeed_log(data_dir, TOPICS, settings.log.partitions)
            print(f"the log goes on in generation {generation}; the old one, if any, is {data_dir}/log.db.lost-*")
        else:
            print(f"{data_dir}: the log is no older than the stores, nothing is to be done")
    return 0


async def _serve(settings: Settings) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_platform(settings) as platform:
        print(banner(platform, str(settings.data.dir)), flush=True)
        waiting = [asyncio.create_task(event.wait()) for event in (stop, platform.failed)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        if not stop.is_set():
            structlog.get_logger().error("a part of the platform has ended by itself, so all of it stops")
            return 1
        print("stopping", flush=True)
    return 0


def _tune_interpreter() -> None:
    """Make Python fit a process that serves and stores at once."""
    settle_interpreter()
    # A thread of SQLite that has finished a statement waits this long for a busy event loop to let it go on, and a
    # group commit waits with it. The default of 5 ms is longer than the commit.
    sys.setswitchinterval(0.0002)
