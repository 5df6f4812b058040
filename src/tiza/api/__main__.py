"""`python -m tiza.api [--page] [--held] [--engine-file PATH]`: one process of the API."""

import argparse
import gc
import sys
from importlib import import_module
from pathlib import Path
from threading import Thread

from tiza.errors import TizaError
from tiza.translation import terminal_language


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
    args = parser.parse_args()
    gc.disable()  # imports leave no garbage worth a tenth of the start; the server turns it on
    sys.modules["rich"] = None  # type: ignore[assignment]  # structlog would import it for colours
    # It reads the machine's certificates, a tenth of a second, without holding the interpreter.
    Thread(target=import_module, args=("aiohttp",)).start()
    from tiza.api.server import serve
    from tiza.settings import load

    if args.held:
        sys.stdin.read()
    try:
        serve(load(), page=args.page, engine_file=args.engine_file)
    except TizaError as exc:
        print(f"error: {exc.message(terminal_language())}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
