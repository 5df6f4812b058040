"""A stand-in of the Hugging Face hub on loopback: listings, files with ranges, a login, faults."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

COMMIT = "c" * 40


@dataclass
class Repository:
    """What the hub has, and how it misbehaves. Files over 1000 bytes are "large" (LFS)."""

    files: dict[str, bytes]
    card: dict[str, Any] = field(default_factory=lambda: {"license": "apache-2.0"})
    token: str = ""
    cut_after: int = 0  # bytes of one answer, after which the connection breaks
    ranges: bool = True
    elsewhere: str = ""  # where large files are redirected to
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    listed: dict[str, Any] = field(default_factory=dict)

    def listing(self) -> dict[str, Any]:
        """Describe the files as the hub does."""
        siblings = [self._facts(name, data) for name, data in self.files.items()]
        return {"sha": COMMIT, "cardData": self.card, "siblings": siblings, **self.listed}

    @staticmethod
    def _facts(name: str, data: bytes) -> dict[str, Any]:
        blob = sha1(f"blob {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()
        facts: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": blob}
        if len(data) > 1000:
            facts["lfs"] = {"sha256": sha256(data).hexdigest(), "size": len(data)}
        return facts


@contextmanager
def served(repository: Repository) -> Iterator[str]:
    """Serve a repository; yields the hub's address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # noqa: N802  # the library's name
            authorization = self.headers["Authorization"]
            repository.asked.append((self.path, self.headers["Range"], authorization))
            if repository.token and authorization != f"Bearer {repository.token}":
                return self.answer(401, b"")
            if self.path.startswith("/api/models/acme/tiny/revision/"):
                return self.answer(200, json.dumps(repository.listing()).encode())
            prefix = f"/acme/tiny/resolve/{COMMIT}/"
            name = self.path.removeprefix(prefix).replace("%20", " ")
            if not self.path.startswith(prefix) or name not in repository.files:
                return self.answer(404, b"")
            data = repository.files[name]
            if repository.elsewhere and len(data) > 1000:
                return self.answer(302, b"", Location=repository.elsewhere + self.path)
            begin = int((self.headers["Range"] or "bytes=0-")[6:-1]) if repository.ranges else 0
            return self.answer(206 if begin else 200, data[begin:])

        def answer(self, status: int, data: bytes, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if 0 < repository.cut_after < len(data):
                self.wfile.write(data[: repository.cut_after])
                self.close_connection = True
            else:
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
