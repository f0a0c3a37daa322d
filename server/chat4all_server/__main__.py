"""`python -m chat4all_server`"""

import sys

from chat4all_server.command import run

if __name__ == "__main__":
    sys.exit(run())
