"""`python -m chat4all_workers`"""

import sys

from chat4all_workers.command import run

if __name__ == "__main__":
    sys.exit(run())
