"""`make run-distributed`."""

import sys

from chat4all_standalone.distributed.command import run

if __name__ == "__main__":
    sys.exit(run())
