"""The command line `chat4all`."""

from chat4all_sdk.cli.app import main

__all__ = ["main"]
