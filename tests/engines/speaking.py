"""An engine for the tests of switching: takes vLLM's flags, and does what its model's folder says.

`answer.txt` there is what it answers; `<exit>`, `<late>` and `<hang>` stand for one that ends at
once, never gets well, or never answers. It cannot load an adapter called `broken`. Run as a script,
without site-packages.
"""

import argparse
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def main() -> None:
    """Answer until a signal comes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("verb")
    parser.add_argument("model", type=Path)
    parser.add_argument("--served-model-name")
    parser.add_argument("--port", type=int)
    parser.add_argument("--lora-modules", nargs="*", default=[])
    args, _ = parser.parse_known_args()
    answer = (args.model / "answer.txt").read_text()
    if answer == "<exit>" or any(name.startswith("broken=") for name in args.lora_modules):
        sys.exit("error: out of memory")
    serve(args.port, answer)


def serve(port: int, answer: str) -> None:
    """Listen on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(503 if answer == "<late>" else 200, {})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            print("asked", flush=True)
            if answer == "<hang>":
                time.sleep(1000)
            self.reply(200, {"choices": [{"message": {"content": answer}}]})

        def reply(self, status: int, document: object) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()
