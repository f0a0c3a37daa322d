"""`make run-distributed`: servers, workers and Envoy as processes, on engines that run already."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import uvloop

from chat4all_channels.accounts_file import AccountsFileError
from chat4all_core.adapters.sqlite.data_dir import DataDirInUseError, locked_data_dir
from chat4all_core.config import Settings, load_settings
from chat4all_core.distributed.__main__ import main as operate
from chat4all_core.distributed.setup import ENGINE_ERRORS
from chat4all_core.setting import SettingsError
from chat4all_core.telemetry.logging import configure_logging
from chat4all_standalone.distributed.bootstrap import ProcessCounts, open_distributed_platform
from chat4all_standalone.distributed.child_process import ChildStartError
from chat4all_standalone.distributed.engines_file import EnginesFileError, engine_settings
from chat4all_standalone.distributed.platform import DistributedPlatform
from chat4all_standalone.envoy import EnvoyStartError

_OPERATORS_ERRORS = (*ENGINE_ERRORS, AccountsFileError, ChildStartError, DataDirInUseError, EnvoyStartError, OSError)
"""What whoever started the platform can mend: they get the message, not a traceback."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; SIGHUP replaces one process after the other.

    Returns 0 then, 1 when it can't serve, 2 for wrong settings.
    """
    options = _parser().parse_args(arguments)
    try:
        environ = {**os.environ, **(engine_settings(options.engines) if options.engines else {})}
        if options.open_generation is not None:
            return operate(["open-generation", *options.open_generation], environ)
        settings = load_settings(environ)
    except (SettingsError, EnginesFileError) as error:
        print(error, file=sys.stderr)
        return 2
    configure_logging(settings.telemetry.log_level)
    folder = settings.data.dir / "distributed"
    if options.rolling_restart:
        return _ask_to_restart(folder)
    counts = ProcessCounts(options.servers, options.routers, options.status_workers)
    try:
        with locked_data_dir(folder):
            (folder / "pid").write_text(f"{os.getpid()}\n")
            uvloop.run(_serve(settings, environ, folder, counts))
    except _OPERATORS_ERRORS as error:
        print(f"Chat4All can't start: {error}", file=sys.stderr)
        return 1
    return 0


def _ask_to_restart(folder: Path) -> int:
    try:
        with locked_data_dir(folder):
            print(f"no platform runs in {folder}", file=sys.stderr)
            return 1
    except DataDirInUseError:
        os.kill(int((folder / "pid").read_text()), signal.SIGHUP)
        return 0


async def _serve(settings: Settings, environ: Mapping[str, str], folder: Path, counts: ProcessCounts) -> None:
    stop, restart = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, restart.set)
    async with open_distributed_platform(settings, environ, folder, counts) as platform:
        watching = asyncio.create_task(_watch(platform, restart, settings, folder))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([watching, stopping], return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            stopping.cancel()
            await watching  # which raises why
        watching.cancel()
        print("stopping", flush=True)


async def _watch(platform: DistributedPlatform, restart: asyncio.Event, settings: Settings, folder: Path) -> None:
    await platform.serves()
    names = ", ".join(each.name for each in (*platform.servers, *platform.workers))
    print(f"Chat4All serves REST, gRPC and gRPC-Web by {names}\n(logs in {folder}; stop with Ctrl-C)", flush=True)
    print(f"ready http://{settings.envoy.address}:{settings.envoy.port}", flush=True)
    while True:
        await restart.wait()
        restart.clear()
        await platform.rolling_restart()
        print("restarted", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chat4all_standalone.distributed", description=__doc__)
    defaults = ProcessCounts()
    parser.add_argument("--engines", type=Path, metavar="FILE", help="engines.json, instead of the engines' settings")
    parser.add_argument("--servers", type=_some, default=defaults.servers, help="(%(default)s)")
    parser.add_argument("--routers", type=_count, default=defaults.routers, help="(%(default)s); 0 if others run them")
    parser.add_argument("--status-workers", type=_count, default=defaults.status_workers, help="(%(default)s)")
    parser.add_argument(
        "--rolling-restart", action="store_true", help="have the platform that runs replace its processes, and end"
    )
    parser.add_argument(
        "--open-generation",
        nargs=argparse.REMAINDER,
        metavar="ARGUMENT",
        help="do what `python -m chat4all_core.distributed open-generation` does, with these engines",
    )
    return parser


def _count(text: str) -> int:
    count = int(text)
    if not 0 <= count <= 64:
        raise ValueError(text)
    return count


def _some(text: str) -> int:
    count = _count(text)
    if not count:
        raise ValueError(text)
    return count
