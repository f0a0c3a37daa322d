"""`python -m chat4all_core.distributed setup`"""

import argparse
import asyncio
import os
import sys

from chat4all_core.config import load_settings
from chat4all_core.distributed.setup import ENGINE_ERRORS, SetUp, set_up
from chat4all_core.setting import SettingsError


def main() -> int:
    """Set the engines up; returns 0 when it is done, 1 when an engine is away or refuses, 2 for wrong settings."""
    parser = argparse.ArgumentParser(prog="python -m chat4all_core.distributed")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("setup", help="make keyspace, tables, bucket and topics where they are missing; repeat it")
    parser.parse_args()
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        print(_report(asyncio.run(set_up(settings))))
    except ENGINE_ERRORS as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _report(done: SetUp) -> str:
    tables = f"applied {', '.join(done.migrations)}" if done.migrations else "were up to date"
    bucket = "was made" if done.bucket_made else "was there"
    topics = (f"  {topic.topic}: generation {topic.generation}, {topic.partitions} partitions" for topic in done.topics)
    return "\n".join([f"tables: {tables}", f"bucket of files: {bucket}", "topics:", *topics])


if __name__ == "__main__":
    sys.exit(main())
