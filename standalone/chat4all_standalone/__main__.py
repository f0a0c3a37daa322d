"""`make run`."""

import os
import sys


def main() -> int:
    """Serve until SIGTERM or Ctrl-C; returns the exit code."""
    # gRPC's core reads this when it is imported, and would remark on Envoy's start otherwise.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    from chat4all_standalone.command import run

    return run()


if __name__ == "__main__":
    sys.exit(main())
