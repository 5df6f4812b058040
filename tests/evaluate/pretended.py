"""Models that answer by rule: for faults and outcomes that no real model can be made to show."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answers = Callable[[str], str | int]


class Model(ThreadingHTTPServer):
    """Answers by `answers`; a number is an HTTP status. `asked` has the questions as they came."""

    daemon_threads = False  # closing waits for the last answer
    request_queue_size = 64

    def __init__(self, answers: Answers) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.asked = answers, list[str]()


class Handler(BaseHTTPRequestHandler):
    """One request of OpenAI's HTTP."""

    server: Model

    def do_GET(self) -> None:
        """List the one model."""
        self._send(200, {"data": [{"id": "pretended"}]})

    def do_POST(self) -> None:
        """Answer the last message."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        question = body["messages"][-1]["content"]
        self.server.asked.append(question)
        answer = self.server.answers(question)
        if isinstance(answer, int):
            self._send(answer, "refused")
            return
        choice = {"message": {"content": answer}, "finish_reason": "stop"}
        self._send(200, {"choices": [choice], "usage": {"completion_tokens": 3}})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Say nothing."""

    def _send(self, status: int, content: object) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle(self) -> None:
        """Answer, unless the client has left."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True


@contextmanager
def model(answers: Answers) -> Iterator[tuple[str, list[str]]]:
    """Serve; yield the address and the questions as they came."""
    with Model(answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", server.asked
        finally:
            server.shutdown()
            thread.join()
