"""`python -m tiza.engines.alone`: become the engine, for who supervises it from outside.

In a container that is Docker or Kubernetes: the engine is the first process there, writes to its
output, and ends with it. Every GPU that is seen is used. Knows no supervisor of its own.
"""

import argparse
import os
import sys
from typing import cast

from tiza.engines.choose import Kind, choose
from tiza.engines.engine import Address
from tiza.engines.gpus import find_gpus
from tiza.engines.serve import is_loopback
from tiza.errors import KeyNeeded, TizaError
from tiza.models.lineup import line_up
from tiza.settings import Settings, load
from tiza.translation import terminal_language


def become(kind: Kind, host: str, settings: Settings) -> None:
    """Put the engine that serves MODEL_PATH at VLLM_PORT in this process's place.

    Raises:
        TizaError: no such model, engine missing, or no key for an open address.

    """
    key = settings.vllm_api_key.get_secret_value()
    if not key and not is_loopback(host):
        raise KeyNeeded(host=host)
    lineup = line_up(settings.model_path, settings.models_path)
    address = Address(host, settings.vllm_port, key)
    engine = choose(kind, lineup, settings, address, max(1, len(find_gpus())))
    print(f"{engine.kind} serves {engine.model}", flush=True)
    environment = {**os.environ, **address.environment}
    os.execve(engine.command[0], engine.command, environment)  # noqa: S606  # a list built here


def main() -> int:
    """Become the engine; return the exit status where that cannot be."""
    parser = argparse.ArgumentParser(prog="python -m tiza.engines.alone")
    parser.add_argument("--engine", choices=["auto", "vllm", "llama.cpp"], default="auto")
    parser.add_argument("--host", default="127.0.0.1")
    args = parser.parse_args()
    try:
        become(cast(Kind, args.engine), args.host, load())
    except TizaError as exc:
        print(f"error: {exc.message(terminal_language())}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
