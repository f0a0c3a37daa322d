"""`python -m chat4all_core.adapters.cassandra` makes the keyspace and brings its tables up to date.

It takes the settings of CHAT4ALL_CASSANDRA_… from the environment, and may run any number of times.
"""

import os
import sys

from chat4all_core.adapters.cassandra.errors import QueryRefusedError
from chat4all_core.adapters.cassandra.migration import migrate
from chat4all_core.config import load_settings
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.setting import SettingsError


def main() -> int:
    """Migrate; the result is the exit status."""
    try:
        applied = migrate(load_settings(os.environ).cassandra)
    except (SettingsError, UnavailableError, QueryRefusedError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"applied {', '.join(applied)}" if applied else "up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
