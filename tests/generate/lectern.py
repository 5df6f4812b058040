"""A teacher behind HTTP, in a thread: answers every request for pairs, and knows what was asked."""

import hashlib
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class _Quiet(ThreadingHTTPServer):
    """Says nothing of clients that were killed."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass


class Lectern:
    """Answers with pairs that carry a mark made from the request; `asked` has the marks in order.

    `before` is called with the number of requests so far, before each answer; `status` other than
    200 refuses everything.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.keys: set[str] = set()
        self.before: Callable[[int], None] = lambda _count: None
        self.status = 200
        self._lock = threading.Lock()
        lectern = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                lectern.keys.add(self.headers.get("Authorization", ""))
                self._send(lectern.status, lectern.answer(body))

            def do_GET(self) -> None:
                self._send(200, {"data": [{"id": "lectern"}]})

            def _send(self, status: int, answer: dict[str, Any]) -> None:
                data = json.dumps(answer).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:  # who asked was killed
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """The endpoint's address."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answer one request."""
        asked = json.dumps([body["messages"], body.get("seed")])
        mark = hashlib.sha256(asked.encode()).hexdigest()[:10]
        with self._lock:
            self.asked.append(mark)
            self.before(len(self.asked))
        pair = {"question": f"What is the fact {mark}?", "answer": f"The fact {mark} is a mill."}
        return {
            "choices": [{"message": {"content": json.dumps({"pairs": [pair]})}}],
            "usage": {"prompt_tokens": 50, "completion_tokens": 20},
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
