"""Wait until the engine is well, so that the API starts after it; say what is wrong if it never is.

Asks VLLM_API_URL, of several the first that answers. Uses the standard library only.
"""

import os
import socket
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

NAME_SECONDS = 15  # until Docker knows the name of a container that it has been told to start
SECONDS = float(os.environ.get("ENGINE_START_SECONDS") or 1800)
NO_ENGINE = (
    "error: there is no engine. COMPOSE_PROFILES must name gpu (vLLM) or cpu (llama.cpp); if it "
    "does, the engine ends again and again: see its log."
)


def is_well(url: str) -> bool:
    """Tell whether an engine answers that it can serve."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5):  # noqa: S310  # from the settings
            return True
    except (OSError, urllib.error.URLError):
        return False


def is_known(url: str) -> bool:
    """Tell whether a machine has the name in an address."""
    try:
        socket.getaddrinfo(urlsplit(url).hostname, None)
    except OSError:
        return False
    return True


def main() -> int:
    """Wait; return the exit status."""
    urls = [url.strip().rstrip("/") for url in os.environ["VLLM_API_URL"].split(",")]
    started = time.monotonic()
    while time.monotonic() < started + SECONDS:
        if any(is_well(url) for url in urls):
            print(f"the engine is well after {time.monotonic() - started:.1f} s", flush=True)
            return 0
        if time.monotonic() > started + NAME_SECONDS and not any(map(is_known, urls)):
            print(NO_ENGINE, file=sys.stderr)
            return 1
        time.sleep(0.5)
    print(f"error: no engine was well within {SECONDS:.0f} s: see its log", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
