"""`python -m tiza.api [--page] [--held] [--engine-file PATH]`: the API, in WORKERS processes."""

import argparse
import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tiza.api import lean
from tiza.errors import TizaError
from tiza.translation import terminal_language

if TYPE_CHECKING:
    from tiza.settings import Settings


def main() -> int:
    """Serve until a signal comes; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tiza.api")
    parser.add_argument(
        "--page", action="store_true", help="serve the page too, the API under /api"
    )
    parser.add_argument(
        "--held", action="store_true", help="load, but listen only when standard input ends"
    )
    parser.add_argument("--engine-file", type=Path, help="tells where the engine is")
    parser.add_argument("--socket", type=int, help=argparse.SUPPRESS)  # these three: see `workers`
    parser.add_argument("--together", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--place", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    gc.disable()  # imports leave no garbage worth a tenth of the start; the server turns it on
    lean.leave_out()
    try:
        return _run(args)
    except TizaError as exc:
        print(f"error: {exc.message(terminal_language())}", file=sys.stderr, flush=True)
        from tiza.api.together import REFUSED

        return 1 if args.together is None else REFUSED


def _run(args: argparse.Namespace) -> int:
    from tiza.settings import load

    settings = load()
    if settings.workers > 1 and args.together is None:
        return _run_several(settings, args)
    from tiza.api.server import Place, serve

    if args.held:
        sys.stdin.read()
    serve(
        settings,
        page=args.page,
        engine_file=args.engine_file,
        place=Place(args.socket, args.together, args.place),
    )
    return 0


def _run_several(settings: "Settings", args: argparse.Namespace) -> int:
    from tiza.api.workers import run

    if args.held:
        sys.stdin.read()
    return run(settings, [word for word in sys.argv[1:] if word != "--held"])


if __name__ == "__main__":
    sys.exit(main())
