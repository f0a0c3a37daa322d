"""`make run`, and `make admin`."""

import os
import sys


def main() -> int:
    """Serve until SIGTERM or Ctrl-C, or do what `admin` says; returns the exit code."""
    if sys.argv[1:2] == ["admin"]:
        from chat4all_standalone import admin

        return admin.run(sys.argv[2:])
    # gRPC's core reads this when it is imported, and would remark on Envoy's start otherwise.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    from chat4all_standalone.command import run

    return run()


if __name__ == "__main__":
    sys.exit(main())
