"""Real HTTP servers on 127.0.0.1 that behave as badly as a test asks them to."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Reply = Callable[["Request"], None]


class Request(BaseHTTPRequestHandler):
    """One request, with what a reply needs."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Loopback"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.route = parts.path
        self.query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        with self.server.lock:
            self.server.asked.append((parts.path, self.query, dict(self.headers)))
            self.server.counts[parts.path] += 1
            self.number = self.server.counts[parts.path]
        try:
            self.server.reply(self)
        except (BrokenPipeError, ConnectionResetError):
            # The client has had enough, as it should.
            self.close_connection = True

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, value: Any, headers: dict[str, str] | None = None) -> None:
        self.answer(200, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def answer_half(self, body: bytes, content_type: str) -> None:
        """The length of all of it, and half of it."""
        self.answer(200, body[: len(body) // 2], {"Content-Length": str(len(body)), "Content-Type": content_type})
        self.close_connection = True

    def answer_without_end(self, head: bytes, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(head)
        while not self.server.is_closing.is_set():
            self.wfile.write(bytes(1 << 16))

    def redirect(self, location: str) -> None:
        self.answer(302, b"", {"Location": location})


class Loopback(ThreadingHTTPServer):
    """`asked`: every request as (path, query, headers)."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, reply: Reply) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.reply = reply
        self.lock = threading.Lock()
        self.asked: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.counts: Counter[str] = Counter()
        self.is_closing = threading.Event()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def handle_error(self, *_: object) -> None:
        pass


@contextmanager
def serving(reply: Reply) -> Iterator[Loopback]:
    """A server with its thread; ends with the block."""
    server = Loopback(reply)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.is_closing.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
