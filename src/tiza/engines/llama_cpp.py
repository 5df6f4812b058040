"""llama.cpp as the engine: the server inside `xllamacpp`, in a process of its own.

`build()` describes that process; `main()` is it. Runs on any CPU. Knows nothing of the
API in front of it.
"""

import argparse
import os
import signal
import sys
from functools import partial
from pathlib import Path

from tiza.engines.engine import Address, Engine
from tiza.engines.ports import check_port_free
from tiza.errors import MissingExtra, ModelUnreadable, TizaError
from tiza.models.lineup import Lineup
from tiza.settings import Settings
from tiza.translation import terminal_language

KIND = "llama.cpp"

# How often OpenMP's threads look for each other before they sleep. By default they look on and on:
# as fast on an idle machine, but 10 to 20 times slower while another program wants a core.
SPINS = "1000"

# A keep-alive client holds one of the server's threads for as long as it stays connected.
HTTP_THREADS = 128


def build(lineup: Lineup, settings: Settings, address: Address) -> Engine:
    """Describe the process that serves the base's GGUF, and the adapters that exist as GGUF.

    The chosen adapter answers who names none in `lora`; the others are loaded and asleep.

    Raises:
        ModelUnreadable: the base or the chosen adapter has no GGUF.

    """
    base, chosen = lineup.base, lineup.chosen
    for needed in (base, chosen):
        if needed and needed.gguf is None:
            raise ModelUnreadable(engine=KIND, model=needed.path)
    adapters = [adapter for adapter in lineup.adapters if adapter.gguf]
    context = settings.vllm_max_model_len
    command = [
        *(sys.executable, "-m", "tiza.engines.llama_cpp", "--model", str(base.gguf)),
        *("--alias", lineup.active, "--host", address.host, "--port", str(address.port)),
        *("--context", str(context), "--slots", str(settings.llama_slots)),
    ]
    for adapter in adapters:
        flag = "--chosen-adapter" if adapter == chosen else "--adapter"
        command += [flag, str(adapter.gguf)]
    names = tuple(adapter.name for adapter in adapters)
    return Engine(KIND, lineup.active, address, command, base.name, names, lineup.scopes(names))


def serve(args: argparse.Namespace) -> None:
    """Load the model, listen, and stay until a signal ends the process."""
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)  # read when the library is loaded
    try:
        import xllamacpp
    except ImportError as exc:
        raise MissingExtra(package="xllamacpp", command="pip install xllamacpp") from exc
    params = xllamacpp.CommonParams()
    params.model.path = str(args.model)
    params.model_alias = {args.alias}
    params.hostnames = [args.host]
    params.port = args.port
    params.n_parallel = args.slots
    params.n_ctx = args.context * args.slots  # shared out evenly among the slots
    params.n_threads_http = HTTP_THREADS
    params.endpoint_metrics = True
    params.ui = False
    params.fit_params = False  # else it loads the model twice, to see what a GPU would hold
    params.cors_origins, params.cors_credentials = "", False  # its default lets any site ask
    if args.adapters:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(*each) for each in args.adapters]
        # It finds a saved prompt by its tokens alone: what one adapter has read, another would use.
        params.cache_ram_mib = 0
    if key := os.environ.get("VLLM_API_KEY"):
        params.api_keys = [key]
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as exc:
        check_port_free(args.host, args.port, "VLLM_PORT")  # the other reason to fail
        raise ModelUnreadable(engine=KIND, model=args.model) from exc
    print(f"listening on {server.listening_address}", flush=True)
    signal.pause()


def main() -> None:
    """Entry point of the engine's process."""
    parser = argparse.ArgumentParser(prog="python -m tiza.engines.llama_cpp")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--alias", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--context", type=int, required=True)
    parser.add_argument("--slots", type=int, required=True)
    for flag, scale in (("--adapter", 0.0), ("--chosen-adapter", 1.0)):
        adapter = partial(_scaled, scale)
        parser.add_argument(flag, type=adapter, action="append", dest="adapters", default=[])
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # like SIGTERM: at once, even while loading
    code = 0
    try:
        serve(parser.parse_args())
    except TizaError as exc:
        # A line of its own, even while llama.cpp's threads are in the middle of theirs.
        print(f"\nerror: {exc.message(terminal_language())}", flush=True)
        code = 1
    # The C++ server has no stop(); its threads end with the process.
    os._exit(code)


def _scaled(scale: float, path: str) -> tuple[str, float]:
    return path, scale


if __name__ == "__main__":
    main()
