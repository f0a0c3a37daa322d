"""`python -m chat4all_workers`: one of any number of worker processes of the distributed platform."""

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
from chat4all_workers.process import START_ERRORS, work


def run(arguments: Sequence[str] | None = None) -> int:
    """Work until SIGTERM or SIGINT: the batch at hand is finished and committed, and the partitions are handed over.

    Returns 0 then, 1 when it can't work, 2 for wrong settings.
    """
    parser = argparse.ArgumentParser(prog="python -m chat4all_workers", description=__doc__)
    parser.add_argument("--roles", metavar="ROLE,...", help="instead of CHAT4ALL_WORKER_ROLES")
    parser.add_argument("--check-config", action="store_true", help="print the settings, without secrets, and end")
    options = parser.parse_args(arguments)
    roles = {"CHAT4ALL_WORKER_ROLES": options.roles} if options.roles else {}
    try:
        settings = load_settings({**os.environ, **roles})
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    if options.check_config:
        print(to_text(settings))
        return 0
    configure_logging(settings.telemetry.log_level)
    settle_interpreter()
    try:
        uvloop.run(_work(settings))
    except START_ERRORS as error:
        print(f"the worker can't start: {error}", file=sys.stderr)
        return 1
    return 0


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await work(settings, stop)
