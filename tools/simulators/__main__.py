"""`python -m tools.simulators`: serve until a signal."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from .platform_accounts import platform_accounts
from .settings import Settings, SettingsError, load_settings
from .simulators import Simulators


def main() -> int:
    """Serve; the result is the exit status."""
    options = _parser().parse_args()
    try:
        settings = Settings() if options.settings is None else load_settings(options.settings)
        asyncio.run(_serve(settings, options))
    except (SettingsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(settings: Settings, options: argparse.Namespace) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with Simulators(
        settings, host=options.host, port=options.port, webhook_base=options.webhook_base
    ) as simulators:
        if options.accounts_file is not None:
            options.accounts_file.write_text(platform_accounts(settings, simulators.url, tuple(options.inbox)), "utf-8")
        print(f"simulators: {simulators.url}/control/", flush=True)
        await ended.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.simulators", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port; 0 takes a free one")
    parser.add_argument(
        "--webhook-base", metavar="URL", help="register every account's webhook at URL/v1/channels/{channel}/webhook"
    )
    parser.add_argument(
        "--accounts-file", type=Path, metavar="FILE", help="write the platform's file of accounts, once they are served"
    )
    parser.add_argument(
        "--inbox", nargs="*", default=(), metavar="USERNAME", help="in that file: who gets what strangers write"
    )
    parser.add_argument("--settings", type=Path, metavar="FILE", help=".toml or .json file with accounts and limits")
    return parser


if __name__ == "__main__":
    sys.exit(main())
