"""Run a command that ends when its parent ends, even if the parent was killed.

Started as a script: `python -S leash.py PARENT COMMAND [ARG…]`, PARENT a process id. On Linux the
kernel keeps the promise (prctl(2), PR_SET_PDEATHSIG, kept across exec); elsewhere the command just
runs.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent and become the command."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(sys.argv[1]):  # it died before the call above
            sys.exit(1)
    try:
        os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606  # a list, no shell
    except OSError as exc:
        sys.exit(f"error: {sys.argv[2]}: {exc.strerror}")


if __name__ == "__main__":
    main()
