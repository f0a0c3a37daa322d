"""`python -m chat4all_channels renew-tokens FILE`."""

import asyncio
import sys
from argparse import ArgumentParser
from pathlib import Path

from chat4all_channels.accounts_file import AccountsFileError
from chat4all_channels.renew_tokens import renew_tokens


def main() -> int:
    """Renew what ends, and say what became of each; 1 when something was not renewed."""
    parser = ArgumentParser(prog="python -m chat4all_channels", description="The accounts on channels.")
    commands = parser.add_subparsers(required=True)
    renew = commands.add_parser("renew-tokens", help="renew the tokens that end, in the file of accounts")
    renew.add_argument("file", type=Path, help="the file of accounts")
    arguments = parser.parse_args()
    try:
        return asyncio.run(_renew(arguments.file))
    except AccountsFileError as error:
        print(error, file=sys.stderr)
        return 1


async def _renew(file: Path) -> int:
    code = 0
    async for renewal in renew_tokens(file):
        who = f"{renewal.channel} {renewal.account}"
        if renewal.ends_at is None:
            print(f"{who}: not renewed: {renewal.reason}", file=sys.stderr)
            code = 1
        else:
            print(f"{who}: renewed, ends on {renewal.ends_at:%Y-%m-%d}")
    return code


if __name__ == "__main__":
    sys.exit(main())
