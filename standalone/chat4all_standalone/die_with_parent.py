"""Run as a script: become another program that the kernel kills as soon as this process's parent ends.

    python -I -S die_with_parent.py PARENT_PID PROGRAM [ARGUMENT ...]

The parent is the thread that started this script; it must live as long as the program is wanted. A script
of its own, because code between fork and exec (`preexec_fn`) is not safe in a parent that has threads. On
systems without Linux's prctl the program runs, and outlives a parent that is killed.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Ask for the signal, then replace this process."""
    parent, program = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the kernel was asked
            sys.exit(1)
    os.execv(program, sys.argv[2:])


if __name__ == "__main__":
    main()
