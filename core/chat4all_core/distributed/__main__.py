"""`python -m chat4all_core.distributed setup` and `… open-generation`"""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping, Sequence

from chat4all_core.config import Settings, load_settings
from chat4all_core.distributed.move_topic import MOVE_ERRORS, move_topic
from chat4all_core.distributed.setup import SetUp, set_up
from chat4all_core.ports.event_log import GROUPS
from chat4all_core.setting import SettingsError


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Do what the command says; returns 0 when it is done, 1 when an engine is away or refuses, 2 for wrong
    settings."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings(os.environ if environ is None else environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        options.run(settings, options)
    except MOVE_ERRORS as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _set_up(settings: Settings, _: argparse.Namespace) -> None:
    print(_report(asyncio.run(set_up(settings))))


def _open_generation(settings: Settings, options: argparse.Namespace) -> None:
    asyncio.run(move_topic(settings, options.topic, options.partitions, lost=options.lost))


def _report(done: SetUp) -> str:
    tables = f"applied {', '.join(done.migrations)}" if done.migrations else "were up to date"
    bucket = "was made" if done.bucket_made else "was there"
    topics = (
        f"  {topic.topic}: generation {topic.generation}, {topic.partitions} partitions"
        + (", sealed: open its next generation" if topic.sealed else "")
        for topic in done.topics
    )
    return "\n".join([f"tables: {tables}", f"bucket of files: {bucket}", "topics:", *topics])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chat4all_core.distributed")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    setup = commands.add_parser(
        "setup", help="make keyspace, tables, bucket and topics where they are missing; may be repeated"
    )
    setup.set_defaults(run=_set_up)
    moving = commands.add_parser(
        "open-generation", help="give a topic another number of partitions, or replace one that was lost; repeatable"
    )
    moving.add_argument("--topic", required=True, choices=GROUPS, metavar="NAME", help=", ".join(GROUPS))
    moving.add_argument("--partitions", required=True, type=_partitions, metavar="N", help="of the next generation")
    moving.add_argument(
        "--lost", action="store_true", help="go on although records are gone that the workers have not handled"
    )
    moving.set_defaults(run=_open_generation)
    return parser


def _partitions(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 1_000:
        raise ValueError(text)
    return count


if __name__ == "__main__":
    sys.exit(main())
